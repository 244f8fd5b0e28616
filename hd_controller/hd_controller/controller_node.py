"""Lifecycle node that runs the generated policy: robot states in, joint commands out."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import String

from hd_controller import controller_parameters, conversions, memory, qos
from hd_controller.command_target import CommandTarget
from hd_controller.controller import Controller, PreparedPolicy
from hd_controller.controller_modes import Mode
from hd_controller.controller_reports import ControllerReports
from hd_controller.description_hash import description_sha256
from hd_controller.joint_map import StateError
from hd_controller.node_runner import declare_executor, run_node
from hd_controller.operator_services import OperatorServices
from hd_controller.policy_intake import PolicyIntake
from hd_controller.policy_origin import GeneratedPolicies, PolicyOrigin
from hd_controller.state_intake import StateIntake
from hd_controller.xml_document import MAX_BYTES

SHORTEST_WATCH_S = 0.001
FLUSH_TIMEOUT = Duration(seconds=0.2)


class ControllerNode(LifecycleNode):
    """Receives description, policies, states and stops; every decision is made by `Controller` and its modes."""

    exit_code: int | None = None

    def __init__(self, name: str = "controller_node", origin: PolicyOrigin | None = None) -> None:
        super().__init__(name)
        self._origin = GeneratedPolicies() if origin is None else origin
        declare_executor(self)
        controller_parameters.declare(self)
        self._settings = controller_parameters.settings(self)
        self._state_timeout_s = self._settings.guards.state_timeout
        self._by_state = controller_parameters.choice(self, "trigger", controller_parameters.TRIGGERS) == "state"
        self._tick_period_s = 0.0 if self._by_state else self._settings.control_period_s
        self._command_type = self.get_parameter("command_type").value
        self._dry_run = self.get_parameter("dry_run").value
        self._controller = Controller(self._settings)
        self._modes = self._controller.modes
        self._writer: conversions.CommandWriter | None = None
        self._intake: PolicyIntake | None = None
        self._accepted = 0
        self._commanding = False
        self._answered_s = -math.inf
        self._commands = self.create_publisher(
            conversions.command_message_type(self._command_type),
            "~/dry_run_commands" if self._dry_run else "joint_commands", qos.commands())
        self._reports = ControllerReports(self, self._controller, self.get_parameter("lockstep").value)
        self._states = StateIntake(self._controller, self._reports, self._complete, self._state_refused)

    def start(self, post: Callable[[Callable[[], None]], Any]) -> None:
        """Listen, take the policy that is there already, if any, and go active if asked to."""
        if self._dry_run:
            self.get_logger().warning("dry run: the robot gets no commands; what it would get is on ~/dry_run_commands")
        self._intake = PolicyIntake(self._controller, self._ready, self._refuse_policy, self._reports.trouble, post,
                                    self._origin.policy_of)
        self._target = CommandTarget(self, self.get_parameter("command_controller").value, self._settings.joint_order,
                                     self._reports.trouble, self._withdrawn)
        self._operator = OperatorServices(self, self._controller, self)
        self._subscribe()
        if not self._by_state:
            self.create_timer(self._settings.control_period_s, self._tick,
                              clock=Clock(clock_type=ClockType.STEADY_TIME))
        policy = self._origin.first()
        if policy is not None:
            self._modes.description(policy.description_sha256)
            self._intake.policy(policy)
        if self.get_parameter("autostart").value:
            self.trigger_configure()
            self.trigger_activate()
        self.changed()

    def _subscribe(self) -> None:
        """Create every subscription; states are looked at only while active, stops always."""
        reliability = controller_parameters.choice(self, "state_reliability", controller_parameters.RELIABILITIES)
        waited_for = self._by_state or self.get_parameter("lockstep").value
        states = qos.states(reliability == "reliable" or (reliability == "auto" and waited_for))
        self.create_subscription(String, "robot_description", self._description, qos.latched())
        self._origin.open(self, self._intake.policy)
        measured = controller_parameters.choice(self, "base_state", controller_parameters.BASE_STATES) == "odom"
        self._states.subscribe(self, states, measured)
        if not measured:
            self.get_logger().warning("base_state is imu: height and velocity of the torso are estimated, not measured")

    def stop(self) -> None:
        """Send the zero command, see that it arrives, end the worker."""
        self._leave_active()
        if self._intake is not None:
            self._intake.close()

    # Lifecycle

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to answer states, in standby."""
        self._states.open = True
        self._modes.enter_active()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """One zero command, then silence."""
        self._leave_active()
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """As for deactivation; the process ends."""
        self._leave_active()
        self.exit_code = 0
        return super().on_shutdown(state)

    @property
    def active(self) -> bool:
        """True in the lifecycle state active."""
        return self._states.open

    @property
    def obstacle(self) -> str:
        """Why the robot must not run, beside what the modes know."""
        return self._target.obstacle

    def changed(self) -> None:
        """Tell the operator, if there is something new."""
        self._reports.changed(self.active)

    def _leave_active(self) -> None:
        """Zero command, standby, silence."""
        if not self.active:
            return
        self._send_zero()
        self._states.open = False
        self._reports.left_active()
        self._modes.leave_active()
        self.changed()
        self._commands.wait_for_all_acked(FLUSH_TIMEOUT)

    # Description and policy

    def _description(self, message: String) -> None:
        """A new robot: standby until its policy is there."""
        if len(message.data) > MAX_BYTES:
            self._reports.trouble(f"robot_description has {len(message.data)} characters and is not looked at; "
                                  f"{MAX_BYTES} are allowed at most")
            return
        sha256 = description_sha256(message.data)
        if not self._modes.description(sha256):
            return
        self._send_zero()
        self._controller.drop_policy()
        self._writer = None
        self._states.described(self.get_clock().now().nanoseconds)
        self._intake.description(sha256)
        self._origin.described(message.data, sha256)
        self.changed()

    def _ready(self, policy: PreparedPolicy) -> None:
        """Take a policy that passed every check, between two steps."""
        if not self._controller.has(policy) and self._controller.bind(policy):
            bundle = policy.bundle
            self._writer = conversions.CommandWriter(self._command_type, bundle.robot_id, policy.mapping,
                                                     self._settings.joint_order)
            self.get_logger().info(f"policy of robot '{bundle.morphology.name}' ({bundle.robot_id[:12]}) is ready")
            if self._modes.mode is not Mode.RUN:
                memory.settle()
            self._states.bound()
        self.changed()

    def _refuse_policy(self, sentence: str) -> None:
        """The policy at hand stays; without one the operator sees why in the status."""
        self._modes.refuse(sentence)
        self._reports.trouble(sentence)
        self.changed()

    # States and commands

    def _state_refused(self, problem: StateError, stamp_ns: int) -> None:
        """A message that cannot be used is left out, or ends in a zero command."""
        self._reports.refused_states += 1
        if self._controller.refuse(problem):
            self._send_zero(stamp_ns)
        self._reports.trouble(f"state refused: {problem}")
        self.changed()

    def _complete(self, policy: PreparedPolicy, arrived_s: float) -> None:
        """Both parts of a state are there: when trigger is `state`, answer it."""
        if self._by_state:
            self._act(policy, arrived_s)

    def _act(self, policy: PreparedPolicy, began_s: float) -> None:
        """One control step: state -> efforts -> message."""
        state, accepted = policy.assembly.state(), policy.assembly.accepted
        efforts = self._controller.answer(state, arrived=accepted != self._accepted)
        self._accepted = accepted
        if efforts is not None and self._writer is not None:
            if not self._fresh(policy):
                self.watch()  # the process stood still amid this step: nobody may act on its answer
                return
            self._command(state.stamp_ns, efforts)
            self._commanding, self._answered_s = True, began_s
        now_s = time.monotonic()
        self._reports.timing.step(began_s, now_s, policy.assembly.age_s(now_s))
        self.changed()

    def _tick(self) -> None:
        """Steady clock trigger: act on the newest states while they are fresh."""
        policy = self._controller.policy
        now_s = time.monotonic()
        if self.active and policy is not None and self._fresh(policy):
            self._act(policy, now_s)
        else:
            self._reports.timing.tick(now_s)
            self.watch()

    def watch(self) -> float:
        """Send a zero command where nothing fresh was answered for `state_timeout`, on the steady clock.

        Called by the loop that runs this node; returns within how many seconds it wants to be called again. Messages
        may be fresh, and none be answered: their stamps never agree, or are older than that of the state answered last.
        """
        policy, modes = self._controller.policy, self._modes
        waited_for = self._commanding or modes.mode is Mode.RUN or modes.about_to_run
        if not self.active or policy is None or not waited_for:
            return self._state_timeout_s
        now_s = time.monotonic()
        left_s = self._state_timeout_s - policy.assembly.age_s(now_s)
        answer_left_s = self._state_timeout_s + self._tick_period_s - (now_s - self._answered_s)
        if min(left_s, answer_left_s) >= 0:
            return max(min(left_s, answer_left_s), SHORTEST_WATCH_S)
        self._send_zero()
        self._controller.stale(unanswered=left_s >= 0)
        self.changed()
        return self._state_timeout_s

    def _fresh(self, policy: PreparedPolicy) -> bool:
        return policy.assembly.age_s(time.monotonic()) <= self._state_timeout_s

    def _send_zero(self, stamp_ns: int | None = None) -> None:
        """Zero command to the robot of the bound policy, stamped as the state answered last or as told."""
        if self.active and self._writer is not None:
            stamp = self._controller.last_stamp_ns if stamp_ns is None else stamp_ns
            self._command(stamp or 0, self._controller.zero())
        self._commanding = False

    def _command(self, stamp_ns: int, efforts: np.ndarray) -> None:
        """Publish efforts; nothing to a command controller that has not confirmed which joints it drives.

        To another interface even zero is a command: to go to position 0.
        """
        if self._dry_run or not self._target.obstacle:
            self._commands.publish(self._writer.write(stamp_ns, efforts))

    def _withdrawn(self, sentence: str) -> None:
        """The command controller is not what it was: a last zero if its joints still count as confirmed, then silence.
        """
        self._send_zero()
        self._controller.withdraw(sentence)

    # Operator

    def stop_now(self, source: str) -> None:
        """Latch, and answer at once: damping while states are fresh, zero otherwise."""
        if self._controller.e_stop(source):
            policy = self._controller.policy
            if self.active and policy is not None and self._writer is not None and self._fresh(policy):
                state = policy.assembly.state()
                self._command(state.stamp_ns, self._controller.damp(state))
                self._commanding = True
            else:
                self._send_zero()
        self.changed()


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_controller controller_node`."""
    return run_node(ControllerNode, arguments, controller_parameters.MANUAL)


if __name__ == "__main__":
    sys.exit(main())
