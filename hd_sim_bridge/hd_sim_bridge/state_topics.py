"""The topics on which a simulated robot shows its state: those of a real robot, and the clock."""

from __future__ import annotations

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState

from hd_controller.kinematics import RobotState
from hd_sim_bridge.conversions import StateWriter


class StateTopics:
    """Publishes one state at a time; `writer` holds the messages of the present robot."""

    def __init__(self, node: Node) -> None:
        self.writer: StateWriter | None = None
        self._joints = node.create_publisher(JointState, "joint_states", 10)
        self._odometry = node.create_publisher(Odometry, "odom", 10)
        self._imu = node.create_publisher(Imu, "imu", 10)
        self._clock = node.create_publisher(Clock, "/clock", 10)

    def show(self, state: RobotState, stamp_ns: int, specific_force: np.ndarray) -> None:
        """Publish a new state, the clock first."""
        assert self.writer is not None
        self.writer.write(state, stamp_ns, specific_force)
        self._clock.publish(self.writer.clock)
        self.show_again()

    def show_again(self) -> None:
        """Publish the state shown last once more; time does not move."""
        assert self.writer is not None
        self._odometry.publish(self.writer.odometry)
        self._imu.publish(self.writer.imu)
        self._joints.publish(self.writer.joints)
