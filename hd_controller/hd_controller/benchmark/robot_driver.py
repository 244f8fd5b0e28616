"""Plays the robot for a measured controller: publishes states at a rate, receives commands and timing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import rclpy
from nav_msgs.msg import Odometry
from rclpy.context import Context
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from hd_controller import conversions, qos
from hd_controller.errors import HdError
from hd_controller.node_runner import make_executor
from hd_controller.policy_bundle import PolicyBundle
from hd_msgs.msg import ControllerTiming, JointCommand, Policy

SWING_RAD, SWING_HZ = 0.3, 1.3
WAIT_SLICE_S = 0.02


def state_messages(policy: PolicyBundle) -> tuple[JointState, Odometry]:
    """Messages of the robot standing at rest, to be filled again for every state."""
    names = list(policy.joint_names)
    joints = JointState(name=names, position=[0.0] * len(names), velocity=[0.0] * len(names))
    odometry = Odometry()
    odometry.pose.pose.position.z = policy.morphology.standing_height
    odometry.pose.pose.orientation.w = 1.0
    return joints, odometry


def swing(joints: JointState, odometry: Odometry, time_s: float, stamp_ns: int) -> None:
    """Let all joints swing, and stamp both messages."""
    phase = 2 * math.pi * SWING_HZ * time_s
    positions, velocities = conversions.doubles(joints.position), conversions.doubles(joints.velocity)
    positions[:] = SWING_RAD * math.sin(phase)
    velocities[:] = SWING_RAD * 2 * math.pi * SWING_HZ * math.cos(phase)
    for message in (joints, odometry):
        conversions.set_stamp(message.header.stamp, stamp_ns)


class RobotDriver:
    """A node in the measured ROS domain; use as a context manager."""

    def __init__(self, policy: PolicyBundle, domain: int) -> None:
        self._context = Context()
        rclpy.init(context=self._context, args=[], domain_id=domain)
        self.node = rclpy.create_node("bench", context=self._context)
        self._executor = make_executor("events", self._context)
        self._executor.add_node(self.node)
        self._joints, self._odometry = state_messages(policy)
        self._joint_states = self.node.create_publisher(JointState, "joint_states", qos.states(True))
        self._odom = self.node.create_publisher(Odometry, "odom", qos.states(True))
        self.description = self.node.create_publisher(String, "robot_description", qos.latched())
        self.sent_s: dict[int, float] = {}
        self.latencies_s: list[float] = []
        self.timings: list[ControllerTiming] = []
        self.policies: list[tuple[float, Policy]] = []
        self.node.create_subscription(JointCommand, "joint_commands", self._command, qos.commands())
        self.node.create_subscription(ControllerTiming, "timing", self.timings.append, qos.latched())
        self.node.create_subscription(Policy, "policy", self._policy, qos.latched())

    def __enter__(self) -> RobotDriver:
        return self

    def __exit__(self, *failure: object) -> None:
        self._executor.shutdown()  # else it keeps the publishers, and the next controller here gets an old description
        self.node.destroy_node()
        self._context.try_shutdown()

    def _command(self, message: JointCommand) -> None:
        sent_s = self.sent_s.pop(conversions.stamp_to_ns(message.header.stamp), None)
        if sent_s is not None:
            self.latencies_s.append(time.monotonic() - sent_s)

    def _policy(self, message: Policy) -> None:
        self.policies.append((time.monotonic(), message))

    def send_state(self) -> None:
        """One state, stamped now."""
        stamp_ns = self.node.get_clock().now().nanoseconds
        swing(self._joints, self._odometry, time.monotonic(), stamp_ns)
        self._joint_states.publish(self._joints)
        self.sent_s[stamp_ns] = time.monotonic()
        self._odom.publish(self._odometry)

    def drive(self, rate_hz: float, seconds: float) -> None:
        """Send states at a rate and receive in between; forget those that were never answered."""
        end_s = deadline_s = time.monotonic()
        end_s += seconds
        while deadline_s < end_s:
            self.send_state()
            deadline_s += 1.0 / rate_hz
            self.receive_until(deadline_s)
        self.sent_s.clear()

    def receive_until(self, deadline_s: float) -> None:
        """Receive until a time on the monotonic clock."""
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def wait_for(self, condition: Callable[[], object], timeout_s: float, what: str) -> None:
        """Receive until a condition holds; raises HdError at the timeout."""
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                raise HdError(f"{what} did not come within {timeout_s:g} s")
            self._executor.spin_once(timeout_sec=WAIT_SLICE_S)

    def drive_until(self, condition: Callable[[], object], rate_hz: float, timeout_s: float, what: str) -> None:
        """Send states until a condition holds; raises HdError at the timeout."""
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                raise HdError(f"{what} did not happen within {timeout_s:g} s")
            self.drive(rate_hz, 0.1)
