"""Services to reset, pause, step and push a simulation, and to save and restore its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from hd_controller.errors import HdError
from hd_msgs.srv import NamedState, Push, ResetSimulation, StepSimulation
from hd_sim_bridge.conversions import spawn_pose, vector
from hd_sim_bridge.simulated_robot import SimulatedRobot
from hd_sim_bridge.time_gate import TimeGate


class Steerable(Protocol):
    """What the services act on."""

    gate: TimeGate

    @property
    def robot(self) -> SimulatedRobot:
        """The present robot; raises HdError while there is none."""

    def put_elsewhere(self, action: Callable[[], None]) -> None:
        """Run an action that moves the robot without a step, then go on from there; its HdError is passed on."""

    def go_on(self) -> None:
        """The gate may have opened."""


class BridgeServices:
    """The services of a node; a HdError becomes the answer's sentence."""

    def __init__(self, node: Node, target: Steerable) -> None:
        self._target = target
        for kind, name, act in (
                (Trigger, "reset", self._reset), (SetBool, "set_pause", self._set_pause), (Trigger, "step", self._step),
                (ResetSimulation, "reset_to", self._reset_to), (StepSimulation, "step_many", self._step_many),
                (Push, "push", self._push), (NamedState, "save_state", self._save),
                (NamedState, "restore_state", self._restore)):
            node.create_service(kind, f"~/{name}", _answering(act))

    def _reset(self, request: Trigger.Request) -> str:
        self._target.put_elsewhere(self._target.robot.reset)
        return "reset"

    def _reset_to(self, request: ResetSimulation.Request) -> str:
        robot = self._target.robot
        if request.seed < -1:
            raise HdError(f"the seed is {request.seed}; expected 0 or a positive number, or -1 to let chance go on")
        seed = None if request.seed < 0 else request.seed
        pose = spawn_pose(request, robot.morphology.joint_names)
        self._target.put_elsewhere(lambda: robot.reset(seed, pose))
        return "reset" if seed is None else f"reset with seed {seed}"

    def _set_pause(self, request: SetBool.Request) -> str:
        self._target.gate.set_pause(request.data)
        self._target.go_on()
        return "paused" if request.data else "running"

    def _step(self, request: Trigger.Request) -> str:
        return self._take(1)

    def _step_many(self, request: StepSimulation.Request) -> str:
        return self._take(request.steps)

    def _take(self, steps: int) -> str:
        """Let time go on for some steps; raises HdError while there is no robot."""
        assert self._target.robot
        self._target.gate.allow(steps)
        self._target.go_on()
        return "one step" if steps == 1 else f"{steps} steps"

    def _push(self, request: Push.Request) -> str:
        wrench = request.wrench
        self._target.robot.push(request.limb, vector(wrench.force), vector(wrench.torque), request.duration)
        return f"pushing for {request.duration:g} s"

    def _save(self, request: NamedState.Request) -> str:
        self._target.robot.save(request.name)
        return f"saved as '{request.name}'"

    def _restore(self, request: NamedState.Request) -> str:
        robot = self._target.robot
        self._target.put_elsewhere(lambda: robot.restore(request.name))
        return f"restored '{request.name}'"


def _answering(act: Callable[[Any], str]) -> Callable[[Any, Any], Any]:
    """A service callback that fills `success` and `message`."""
    def callback(request: Any, response: Any) -> Any:
        try:
            response.message, response.success = act(request), True
        except HdError as problem:
            response.message, response.success = str(problem), False
        return response
    return callback
