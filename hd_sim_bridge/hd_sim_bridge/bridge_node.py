"""Simulates the described robot behind the topics that a real robot has."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import String

from hd_controller import qos
from hd_controller.background import LatestWorker
from hd_controller.description_hash import description_sha256
from hd_controller.errors import HdError
from hd_controller.node_runner import declare_executor, run_node
from hd_controller.xml_document import MAX_BYTES
from hd_msgs.msg import ControllerStatus, JointCommand
from hd_sim_bridge.bridge_parameters import MANUAL, declare_and_read
from hd_sim_bridge.bridge_reports import BridgeReports
from hd_sim_bridge.bridge_services import BridgeServices
from hd_sim_bridge.command_age import CommandAge
from hd_sim_bridge.command_inbox import CommandInbox
from hd_sim_bridge.lockstep import LockstepWait, Verdict
from hd_sim_bridge.real_time_pace import RealTimePace
from hd_sim_bridge.recordings import Recordings
from hd_sim_bridge.robot_parts import RobotParts
from hd_sim_bridge.simulated_robot import SimulatedRobot
from hd_sim_bridge.simulation import STEP_NS
from hd_sim_bridge.state_topics import StateTopics
from hd_sim_bridge.time_gate import TimeGate
from hd_sim_bridge.timed_run import TimedRun
from hd_sim_bridge.viewer import NativeViewer

VIEWER_PERIOD_S = 1 / 30


class BridgeNode(Node):
    """One simulated robot at a time. Simulated time goes on over swaps and resets and never back."""

    exit_code: int | None = None

    def __init__(self) -> None:
        super().__init__("bridge_node")
        declare_executor(self)
        self._settings = declare_and_read(self)
        self._robot: SimulatedRobot | None = None
        self.gate = TimeGate()
        self._description = self._wanted = self._digest = ""
        self._building = self._held = self._answered = False
        self._failures = self._swaps = 0
        self._offset_ns = STEP_NS
        age = CommandAge(self._settings.command_timeout, self._settings.real_time_factor)
        self._inbox = CommandInbox(age)
        self._wait = LockstepWait()
        self._pacer = RealTimePace(self, self._settings, self._tick, age.set_factor)
        self._run = TimedRun(self._settings.duration, self._settings.start_timeout, time.monotonic())
        self._recordings = Recordings(self, self._settings, lambda: self._now_ns)
        self._viewer = NativeViewer(lambda sentence: self.get_logger().warning(sentence))
        self._worker: LatestWorker | None = None
        self._topics = StateTopics(self, self._recordings.tap)
        self._reports = BridgeReports(self, self._values)

    def start(self, post: Callable[[Callable[[], None]], Any]) -> None:
        """Listen and start the timers."""
        self._post = post
        self._worker = LatestWorker(self._build, self._built, post)
        self.create_subscription(String, "robot_description", self._new_description, qos.latched())
        self.create_subscription(JointCommand, "joint_commands", self._command, qos.commands())
        self.create_subscription(ControllerStatus, "status", self._controller_status, qos.latched())
        self._services_offered = BridgeServices(self, self)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        if self._settings.lockstep:
            self.create_timer(0.05, self._check_answer, clock=steady)
        self._pacer.start()
        if self._settings.viewer == "native":
            self.create_timer(VIEWER_PERIOD_S, self._viewer.sync, clock=steady)
        self.create_timer(0.5, self._recordings.look, clock=steady)
        self.create_timer(1.0, self._check_progress, clock=steady)

    def stop(self) -> None:
        """The simulated robot has nothing to make safe: its motors end with the process."""
        if self._worker is not None:
            self._worker.close()
        self._viewer.close()
        self._recordings.close()

    @property
    def _now_ns(self) -> int:
        """Stamp of the present state."""
        return self._offset_ns + (self._robot.simulation.time_ns if self._robot is not None else 0)

    @property
    def _x(self) -> float:
        """Place of the torso along +x [m]."""
        return float(self.robot.simulation.torso_position[0])

    # Robot

    def _new_description(self, message: String) -> None:
        """Stop the robot at hand and build the new one beside the executor thread."""
        text = message.data
        if len(text) > MAX_BYTES:
            self._reports.trouble("description", f"description refused: it has {len(text)} characters; "
                                                 f"{MAX_BYTES} are allowed at most")
            return
        assert self._worker is not None
        if self._robot is not None and text == self._description:
            self._wanted = text
            self._worker.discard()
            self._resume()
            return
        self._building = True
        self._wanted = text
        self._worker.submit(text)

    def _build(self, text: str) -> RobotParts:
        """Worker thread: description -> simulation and everything that belongs to this robot."""
        return RobotParts.build(text, self._settings.seed, self._settings.imperfections)

    def _built(self, text: str, result: RobotParts | None, error: Exception | None) -> None:
        """Executor thread: put the new robot at the origin, or keep the old one and say why."""
        if text != self._wanted:
            return
        if result is None:
            kind = "" if isinstance(error, HdError) else f"unexpected {type(error).__name__}: "
            sentence = f"description refused: {kind}{error}"
            self._reports.trouble(sentence, sentence)
            self._resume()
            return
        self._swaps += self._robot is not None
        self._offset_ns = self._now_ns + STEP_NS if self._robot is not None else self._offset_ns
        self._robot, self._topics.parts = result.robot, result
        self._description, self._digest = text, description_sha256(text)
        morphology = result.robot.morphology
        joints = len(morphology.joint_names)
        self._inbox.new_robot(result.reader, joints, self._offset_ns)
        self._held, self._answered = self._settings.hold_until_command, False
        self._run.new_robot()
        self._wait.new_robot()
        self._recordings.begin(result.robot)
        gc.collect()
        if self._settings.viewer == "native":
            self._viewer.show(result.robot.simulation.model, result.robot.simulation.data)
        self._reports.simulating(morphology.name, joints, self._digest)
        self._resume()
        self._publish()

    def _resume(self) -> None:
        """Building is over: time goes on from here."""
        self._building = False
        self._pacer.restart(time.monotonic())
        self.go_on()

    # Time

    def _tick(self) -> None:
        """Real time: one step per deadline."""
        if self._robot is None or self._building or self.exit_code is not None or not self.gate.open:
            self._pacer.restart(time.monotonic())
            return
        self.gate.stepped()
        self._pacer.step(time.monotonic())
        if self._inbox.drop_old(time.monotonic(), self._now_ns):
            self._reports.trouble("age", f"command over {self._settings.command_timeout:g} s old: efforts are zero")
        self._advance()

    def _advance(self) -> None:
        """One control period of physics with the efforts at hand, then show the new state."""
        robot, before_x = self.robot, self._x
        if self._held:
            robot.hold()
        elif not robot.advance(self._inbox.efforts):
            self._failures += 1
            self._inbox.zero()
            self._run.record.respawned(before_x, self._x)
            self._reports.trouble("failure", "the physics was not finite any more; the robot was reset: a failure")
        if not self._held:
            self._recordings.add(self._now_ns, robot)
        self._run.stepped(time.monotonic())
        self._publish()
        if self._run.record.over(self._now_ns):
            print(self._summary(), flush=True)
            self.exit_code = 0

    def _publish(self) -> None:
        """Show the present state on all topics. Lockstep goes on by itself where sensors show less than all of it."""
        reading = self.robot.read_sensors()
        if reading is not None and reading.complete:
            self._wait.show(self._offset_ns + reading.state.stamp_ns, time.monotonic())
        else:
            self._wait.show_nothing()
            if self._settings.lockstep:
                self._answered = True
                self._post(self.go_on)
        self._topics.show(reading, self._offset_ns, self._now_ns)

    def _check_answer(self) -> None:
        """Lockstep: show the state again, or say that nobody answers."""
        if self._robot is None or self._building:
            return
        verdict = self._wait.check(time.monotonic())
        if verdict is Verdict.SHOW_AGAIN:
            self._topics.show_again()
        elif verdict is Verdict.GIVE_UP:
            self._reports.trouble("answer", "no command has answered the state for 5 s; is the controller active?")
            if self._run.controller_is_silent(time.monotonic()):
                self.exit_code = 1

    def _check_progress(self) -> None:
        """A timed run that does not start, or does not go on, ends with a sentence and exit code 1."""
        sentence = self._run.stuck(time.monotonic())
        if sentence:
            self.get_logger().error(sentence)
            self.exit_code = 1

    # Commands

    def _command(self, message: JointCommand) -> None:
        """Take a command for this robot; refuse and count any other."""
        try:
            stamp_ns = self._inbox.read(message, self._now_ns)
        except HdError as problem:
            self._reports.trouble(str(problem), f"command refused: {problem}")
            return
        if self._settings.lockstep and not self._wait.answered_by(stamp_ns):
            return
        now_s = time.monotonic()
        self._inbox.accept(now_s)
        self._held = False
        self._run.command(self._now_ns, now_s, self._x, self._pacer.missed)
        if self._settings.lockstep:
            self._answered = True
            self.go_on()

    def go_on(self) -> None:
        """Step if the state has its answer, as it never has in real time, and nothing holds time; not after the end."""
        if not self._answered or self._building or self.exit_code is not None or not self.gate.open:
            return
        self.gate.stepped()
        self._answered = False
        self._advance()

    def _controller_status(self, message: ControllerStatus) -> None:
        """Know whether the controller runs this robot's policy."""
        own = self._robot is not None and message.robot_id == self._robot.morphology.robot_id
        refused = message.policy_refused and message.description_sha256 == self._digest
        self._run.controller(own and message.mode == "run", refused, message.message, time.monotonic())

    # Services

    @property
    def robot(self) -> SimulatedRobot:
        """The present robot; raises HdError while there is none."""
        if self._robot is None:
            raise HdError("there is no robot yet; publish a description on robot_description")
        return self._robot

    def put_elsewhere(self, action: Callable[[], None]) -> None:
        """Run an action that moves the robot without a step, then go on from there; its HdError is passed on."""
        before_x, before_ns = self._x, self._now_ns
        action()
        self._run.record.respawned(before_x, self._x)
        if self._now_ns == before_ns:
            self.robot.hold()
        self._inbox.zero()
        self._answered = False
        self._publish()

    # Reports

    def _summary(self) -> str:
        """The text that a timed run ends with."""
        return self._run.record.text(self.robot.morphology.name, self._now_ns, time.monotonic(), self._x,
                                     self._pacer.missed, self._inbox.refused, self._failures)

    def _values(self) -> dict[str, object]:
        """Key-value pairs for /diagnostics."""
        return {"refused_commands": self._inbox.refused, "expired_commands": self._inbox.expired,
                "missed_steps": self._pacer.missed, "resets_after_failure": self._failures, "swaps": self._swaps,
                "simulated_s": self._now_ns * 1e-9}


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_sim_bridge bridge_node`."""
    return run_node(BridgeNode, arguments, MANUAL)


if __name__ == "__main__":
    sys.exit(main())
