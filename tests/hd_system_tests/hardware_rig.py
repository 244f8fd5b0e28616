"""Stands in for a robot's drivers: publishes joint states, odometry and the stop's heartbeat, healthy or as told."""

import math
import time

from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from hd_controller.conversions import set_stamp, stamp_to_ns
from hd_controller.morphology import Morphology
from hd_msgs.msg import JointCommand
from hd_system_tests.probe import Probe


class HardwareRig:
    """One robot in a probe's ROS domain. Stamps are those of the system clock plus `clock_s`."""

    def __init__(self, probe: Probe, body: Morphology) -> None:
        self._probe = probe
        self._body = body
        self._joints = probe.node.create_publisher(JointState, "joint_states", 10)
        self._odometry = probe.node.create_publisher(Odometry, "odom", 10)
        self._stop = probe.node.create_publisher(Bool, "e_stop", 10)
        self._count = 0
        self.clock_s = 0.0
        self.heartbeat = True

    def state(self, *, tilt: float = 0.0, height: float | None = None, position: float = 0.0, velocity: float = 0.0,
              moves: bool = True, stamp_ns: int | None = None) -> tuple[JointState, Odometry]:
        """Messages of one state: all joints at `position` [rad] and `velocity` [rad/s], the torso turned about x."""
        self._count += moves
        wobble = 1e-6 * self._count
        count = len(self._body.joint_names)
        joints = JointState(name=list(self._body.joint_names), position=[position + wobble] * count,
                            velocity=[velocity] * count)
        odometry = Odometry()
        odometry.pose.pose.orientation.w, odometry.pose.pose.orientation.x = math.cos(tilt / 2), math.sin(tilt / 2)
        odometry.pose.pose.position.z = self._body.standing_height if height is None else height
        odometry.twist.twist.linear.x = wobble
        time_ns = time.time_ns() + round(self.clock_s * 1e9) if stamp_ns is None else stamp_ns
        set_stamp(joints.header.stamp, time_ns)
        set_stamp(odometry.header.stamp, time_ns)
        return joints, odometry

    def send(self, joints: JointState, odometry: Odometry) -> None:
        """Publish one state, and the heartbeat."""
        if self.heartbeat:
            self._stop.publish(Bool(data=False))
        self._odometry.publish(odometry)
        self._joints.publish(joints)

    def stop(self) -> None:
        """Press the emergency stop."""
        self._stop.publish(Bool(data=True))

    def answer(self, deadline_s: float = 10.0, **state: float) -> JointCommand:
        """Send one state and wait for the command that carries its stamp."""
        joints, odometry = self.state(**state)
        wanted, seen = stamp_to_ns(joints.header.stamp), len(self._probe.commands)
        self.send(joints, odometry)
        self._probe.spin_until(
            lambda: any(stamp_to_ns(c.header.stamp) == wanted for c in self._probe.commands[seen:]), deadline_s,
            f"command for the state {state}")
        return self._probe.commands[-1]

    def run(self, deadline_s: float = 20.0) -> None:
        """Send healthy states until the policy runs."""
        end = time.monotonic() + deadline_s
        while self._probe.mode != "run":
            assert time.monotonic() < end, f"not running: {self._probe.mode}, {self._probe.statuses[-1:]}"
            self.send(*self.state())
            self._probe.spin_for(0.02)
        for _ in range(3):
            self.answer()
