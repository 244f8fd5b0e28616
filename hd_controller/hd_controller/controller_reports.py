"""What the controller tells its operator: status, diagnostics, log."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode

from hd_controller import qos
from hd_controller.controller import Controller
from hd_controller.controller_modes import Mode
from hd_controller.conversions import timing_to_message
from hd_controller.diagnostics import ERROR, OK, WARN, NodeDiagnostics
from hd_controller.step_timing import StepTiming
from hd_controller.throttled_log import ThrottledLog
from hd_msgs.msg import ControllerStatus, ControllerTiming

LEVELS = {Mode.RUN: OK, Mode.STANDBY: WARN, Mode.FAULT: ERROR}


class ControllerReports:
    """Publishes when something has changed and once a second; keeps the figures that only reports need."""

    def __init__(self, node: LifecycleNode, controller: Controller, lockstep: bool = False) -> None:
        self._node = node
        self._controller = controller
        self._shown: tuple[object, ...] = ()
        self._said = ""
        self.refused_states = 0
        self.timing = StepTiming(controller.settings.control_period_s, by_clock=not lockstep)
        # Lambdas, because rclpy's logger ties a severity to the line that calls it.
        self.log = ThrottledLog(lambda sentence: node.get_logger().error(sentence))
        self._warn = ThrottledLog(lambda sentence: node.get_logger().warning(sentence))
        self._say = ThrottledLog(lambda sentence: node.get_logger().info(sentence))
        self._status = node.create_publisher(ControllerStatus, "status", qos.latched())
        self._timing = node.create_publisher(ControllerTiming, "timing", qos.latched())
        self._diagnostics = NodeDiagnostics(node, self._values, self._every_second)

    def trouble(self, sentence: str) -> None:
        """One line in the log and in /diagnostics."""
        self.log(sentence, sentence)
        self._said = sentence
        self._diagnostics.trouble(sentence)

    def left_active(self) -> None:
        """What control steps took, in the log."""
        times = self.timing.step_time
        if times.total:
            figures = " / ".join(f"{1e3 * value:.3f}" for value in
                                 (times.quantile_s(0.5), times.quantile_s(0.99), times.max_s))
            self._node.get_logger().info(f"{times.total} steps took {figures} ms (p50 / p99 / max)")

    def changed(self, active: bool) -> None:
        """Publish status and diagnostics when what they show has changed."""
        modes = self._controller.modes
        shown = (modes.mode, modes.message, modes.description_sha256, modes.policy_sha256, active)
        if shown == self._shown:
            return
        if shown[-2:] != self._shown[-2:]:
            self.timing.clear()
        self._shown = shown
        self._publish()
        self._diagnostics.report(LEVELS[modes.mode], f"{modes.mode.value}: {modes.message}")
        if modes.mode is Mode.FAULT:
            self._warn(modes.message, f"fault: {modes.message}")
        elif modes.message != self._said:
            sentence = f"{modes.mode.value}: {modes.message}"
            self._say(sentence, sentence)

    def _every_second(self) -> None:
        """Status, the timing where there is something to tell, and whether somebody else commands the robot."""
        self._publish()
        commanding = self._node.count_publishers("joint_commands")
        if commanding > 1:
            self.trouble(f"{commanding} nodes publish joint_commands, and a robot obeys all of them: is a second "
                         "controller running? One that was killed counts for some seconds")
        if self.timing.step_time.total:
            self._timing.publish(timing_to_message(self.timing, self._node.get_clock().now().to_msg()))

    def _publish(self) -> None:
        """Send the status with the figures of this moment."""
        self._status.publish(self._message())

    def _message(self) -> ControllerStatus:
        """What the operator sees."""
        modes, policy = self._controller.modes, self._controller.policy
        message = ControllerStatus(
            lifecycle_state=self._node._state_machine.current_state[1], mode=modes.mode.value, message=modes.message,
            description_sha256=modes.description_sha256, policy_refused=modes.policy_refused,
            e_stop_latched=modes.e_stop_latched,
            steps=self._controller.steps, missed_steps=self._controller.missed_steps,
            refused_states=self.refused_states, step_time_s=self.timing.last_step_s)
        if policy is not None:
            message.robot_id, message.robot_name = policy.bundle.robot_id, policy.bundle.morphology.name
            message.generator_id = policy.bundle.generator_id
            message.in_distribution = policy.bundle.in_distribution
        message.header.stamp = self._node.get_clock().now().to_msg()
        return message

    def _values(self) -> dict[str, object]:
        """Key-value pairs for /diagnostics."""
        modes = self._controller.modes
        return {"mode": modes.mode.value, "steps": self._controller.steps,
                "missed_steps": self._controller.missed_steps, "refused_states": self.refused_states,
                "e_stop_latched": modes.e_stop_latched, **self._controller.counters.values(),
                **self.timing.summary()}
