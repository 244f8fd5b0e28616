"""How robot states get from their topics into the state of the robot whose policy is bound."""

from __future__ import annotations

import time
from collections.abc import Callable

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Imu, JointState

from hd_controller.controller import Controller, PreparedPolicy
from hd_controller.controller_reports import ControllerReports
from hd_controller.joint_map import StateError
from hd_controller.state_readings import BaseReading, ImuReading, JointReading, Reading
from hd_controller.stream_guard import SETTLING_S
from hd_controller.wire_states import StateReader

SWAP_S = 1.0  # so long after a new description a simulator may still show the robot before


class StateIntake:
    """Reads states while it is `open` and a policy is bound, and leaves out those of a robot that was there before.

    `complete` gets the policy for each message after which the two parts of its state have one stamp, and when that
    message arrived on the steady clock [s]; `refused` gets why a message cannot be used, and its stamp [ns].
    """

    def __init__(self, controller: Controller, reports: ControllerReports,
                 complete: Callable[[PreparedPolicy, float], None], refused: Callable[[StateError, int], None]) -> None:
        self._controller, self._reports = controller, reports
        self._complete, self._refused = complete, refused
        self.open = False
        self._description_ns = 0
        self._awaited_s = self._settled_s = 0.0

    def subscribe(self, node: Node, profile: QoSProfile, base_measured: bool) -> None:
        """Listen to joint_states and to odom, or to imu where the torso's height and velocity are estimated."""
        base_type, topic = (Odometry, "odom") if base_measured else (Imu, "imu")
        for kind, name, callback in ((JointState, "joint_states", self._joint_states),
                                     (base_type, topic, self._base_state)):
            reader = StateReader(kind, callback, self._reports.trouble)
            node.create_subscription(kind, name, reader, profile, raw=True)

    def described(self, now_ns: int) -> None:
        """A new description came at this time of the node's clock [ns]: states of its robot are awaited."""
        self._description_ns, self._awaited_s = now_ns, time.monotonic() + SWAP_S

    def bound(self) -> None:
        """A policy is bound: where late states are refused, nothing is known yet of how late they usually are."""
        if self._controller.settings.guards.max_delay:
            self._settled_s = time.monotonic() + SETTLING_S

    def _joint_states(self, reading: JointReading) -> None:
        """Joint positions and velocities."""
        policy = self._controller.policy
        if not self.open or policy is None:
            return
        if reading.tagged:
            if reading.frame_id != policy.bundle.robot_id and time.monotonic() < self._awaited_s:
                return
        elif reading.stamp_ns < self._description_ns:
            self._reports.log("old", "states stamped before the robot description on this node's clock are ignored; "
                                     "with a simulator, is use_sim_time set?")
            return
        # States of this robot have begun to come; a clock set back later hides none of them.
        self._description_ns, self._awaited_s = 0, 0.0
        self._take(reading, policy)

    def _base_state(self, reading: BaseReading | ImuReading) -> None:
        """Torso pose and twist from odometry, or orientation and angular velocity where there is none."""
        if self.open and self._controller.policy is not None:
            self._take(reading, self._controller.policy)

    def _take(self, reading: Reading, policy: PreparedPolicy) -> None:
        """Read one message into the state."""
        arrived_s = time.monotonic()
        if arrived_s < self._settled_s:
            return
        try:
            reading.hand_to(policy.assembly, policy.bundle.robot_id, arrived_s)
        except StateError as problem:
            self._refused(problem, reading.stamp_ns)
            return
        if policy.assembly.matched():
            self._complete(policy, arrived_s)
