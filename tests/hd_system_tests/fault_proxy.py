"""A node between robot, generator and controller that does to their messages what `Faults` says.

    robot/joint_states, robot/odom  ->  joint_states, odom                  (the bridge's topics are remapped)
    joint_commands                  ->  robot/joint_commands
    robot_description               ->  controller/robot_description        (the controller's topic is remapped)
    generator/policy                ->  policy                              (the generator's topic is remapped)

It runs in a thread of its own and tells a judge of everything in the order in which it passes.
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.subscription import MessageInfo
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from hd_controller import qos
from hd_controller.conversions import NANOSECONDS, doubles, set_stamp, stamp_to_ns
from hd_msgs.msg import JointCommand, Policy
from hd_system_tests.command_judge import CommandJudge
from hd_system_tests.message_faults import DelayLine, Faults, RobotClock
from hd_system_tests.probe import sent_s

BRIDGE_TOPICS = {name: f"robot/{name}" for name in ("joint_states", "odom", "joint_commands")}
CONTROLLER_TOPICS = {"robot_description": "controller/robot_description"}
GENERATOR_TOPICS = {"policy": "generator/policy"}
LONGEST_SPIN_S = 0.05


class FaultProxy:
    """Use as a context manager; set `faults` at any time. `foreign` is the robot that wrong joint states are of.

    `robot_of` gives the robot_id of a description text, None for one that must be refused and "" for one that the
    judge shall not hear of. `real_clock` is that of `RobotClock`.
    """

    def __init__(self, domain: int, judge: CommandJudge, robot_of: Callable[[str], str | None],
                 foreign: tuple[str, list[str]], real_clock: bool, seed: int = 0) -> None:
        self.faults = Faults()
        self._judge, self._robot_of, self._foreign = judge, robot_of, foreign
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node("fault_proxy", context=self._context)
        self._seed = seed
        self._clock = RobotClock(real_clock)
        self._joints: JointState | None = None
        self._torso: Odometry | None = None
        self._lines: list[tuple[DelayLine, Callable[[Any], None]]] = []
        self._connect()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault_proxy", daemon=True)

    def _connect(self) -> None:
        """Create one line and both ends of it for every topic."""
        states, commands = self._line(self._show_joints), self._line(self._send_command)
        torso = self._line(self._show_torso)
        descriptions, policies = self._line(self._show_description), self._line(self._show_policy)
        publish, subscribe = self.node.create_publisher, self.node.create_subscription
        self._joint_states, self._odom = publish(JointState, "joint_states", 10), publish(Odometry, "odom", 10)
        self._commands = publish(JointCommand, "robot/joint_commands", qos.commands())
        self._descriptions = publish(String, "controller/robot_description", qos.latched())
        self._policies = publish(Policy, "policy", qos.latched())
        subscribe(JointState, "robot/joint_states", lambda message: self._state(states, message), 100)
        subscribe(Odometry, "robot/odom", lambda message: self._state(torso, message), 100)
        subscribe(JointCommand, "joint_commands", self._commands_into(commands), 100)
        subscribe(String, "robot_description", lambda message: descriptions.send(
            message, time.monotonic(), delay_s=self.faults.description_delay_s), qos.latched())
        subscribe(Policy, "generator/policy", lambda message: policies.send(
            message, time.monotonic(), delay_s=self.faults.policy_delay_s), qos.latched(), raw=True)

    def __enter__(self) -> FaultProxy:
        """Begin to pass messages on."""
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        """End the thread and leave ROS."""
        self._ended.set()
        self._thread.join(10)
        self.node.destroy_node()
        self._context.try_shutdown()

    def _line(self, deliver: Callable[[Any], None]) -> DelayLine:
        """A connection for one topic with a seed of its own."""
        line = DelayLine(self._seed * 100 + len(self._lines))
        self._lines.append((line, deliver))
        return line

    def _run(self) -> None:
        """Thread body: receive, and deliver what is due."""
        # Takes one message of each topic in turn, so that commands never wait behind a queue of states.
        executor = SingleThreadedExecutor(context=self._context)
        executor.add_node(self.node)
        while not self._ended.is_set():
            now_s = time.monotonic()
            for line, deliver in self._lines:
                for message in line.arrived(now_s):
                    deliver(message)
            wait_s = min(line.wait_s(now_s) for line, _ in self._lines)
            executor.spin_once(timeout_sec=min(LONGEST_SPIN_S, wait_s))

    # What the robot shows

    def _state(self, line: DelayLine, message: Any) -> None:
        """Break a state as the faults say and put it into its line."""
        faults = self.faults
        stamp_ns = self._clock.shown(stamp_to_ns(message.header.stamp), time.time_ns(),
                                     round(faults.clock_shift_s * NANOSECONDS))
        set_stamp(message.header.stamp, stamp_ns)
        if isinstance(message, JointState):
            self._judge.produced(stamp_ns, time.monotonic())
            message = self._broken_joints(message, faults)
        else:
            message = self._broken_torso(message, faults)
        line.send(message, time.monotonic(), faults.state_loss, faults.delay_s, faults.reorder_s, faults.duplicate)

    def _broken_joints(self, message: JointState, faults: Faults) -> JointState:
        """Frozen, not finite, of another robot."""
        if faults.frozen in ("joints", "both") and self._joints is not None and self._joints.name == message.name:
            message.position, message.velocity = self._joints.position, self._joints.velocity
        else:
            self._joints = copy.deepcopy(message)
        if faults.not_finite and self._judge.period % max(1, round(1 / faults.not_finite)) == 0:
            message.position = [math.nan, *message.position[1:]]
        if faults.foreign:
            message.header.frame_id = self._foreign[0]
        if faults.renamed:
            message.name = self._foreign[1]
            message.position = message.velocity = [0.1] * len(self._foreign[1])
        return message

    def _broken_torso(self, message: Odometry, faults: Faults) -> Odometry:
        """Frozen."""
        if faults.frozen in ("torso", "both") and self._torso is not None:
            message.pose, message.twist = self._torso.pose, self._torso.twist
        else:
            self._torso = copy.deepcopy(message)
        return message

    def _show_joints(self, message: JointState) -> None:
        """Deliver to the controller."""
        self._judge.joints(stamp_to_ns(message.header.stamp), message.header.frame_id, message.name,
                           doubles(message.position), doubles(message.velocity), time.monotonic())
        self._joint_states.publish(message)

    def _show_torso(self, message: Odometry) -> None:
        """Deliver to the controller."""
        position, turn = message.pose.pose.position, message.pose.pose.orientation
        linear, angular = message.twist.twist.linear, message.twist.twist.angular
        self._judge.torso(stamp_to_ns(message.header.stamp), (
            position.x, position.y, position.z, turn.w, turn.x, turn.y, turn.z, linear.x, linear.y, linear.z,
            angular.x, angular.y, angular.z))
        self._odom.publish(message)

    # What the controller says, and what it is told

    def _commands_into(self, line: DelayLine) -> Callable[[JointCommand, MessageInfo], None]:
        """What receives commands: the middleware tells when each was sent, however long it waited here."""
        def receive(message: JointCommand, info: MessageInfo) -> None:
            self._command(line, message, sent_s(info))
        return receive

    def _command(self, line: DelayLine, message: JointCommand, sent_s: float) -> None:
        """Judge a command and put it into its line, stamped by the robot's own clock."""
        stamp_ns, faults = stamp_to_ns(message.header.stamp), self.faults
        self._judge.command(stamp_ns, message.robot_id, message.joint_names, doubles(message.effort), sent_s)
        set_stamp(message.header.stamp, self._clock.own(stamp_ns))
        line.send(message, time.monotonic(), faults.command_loss, faults.delay_s, faults.reorder_s, faults.duplicate)

    def _send_command(self, message: JointCommand) -> None:
        """Deliver to the robot."""
        self._commands.publish(message)

    def _show_description(self, message: String) -> None:
        """Deliver to the controller."""
        robot_id = self._robot_of(message.data)
        if robot_id != "":
            self._judge.description(robot_id)
        self._descriptions.publish(message)

    def _show_policy(self, message: bytes) -> None:
        """Deliver to the controller."""
        self._policies.publish(message)
