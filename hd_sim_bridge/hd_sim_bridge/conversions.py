"""The only module of this package that knows message fields. All float64 values pass bit by bit."""

from __future__ import annotations

import numpy as np
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState

from hd_controller.conversions import doubles, set_stamp, stamp_to_ns
from hd_controller.errors import HdError
from hd_controller.joint_map import JointMap
from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_msgs.msg import JointCommand


class StateWriter:
    """Preallocated messages for the states of one robot.

    `joint_states.header.frame_id` carries the robot_id, so that a controller can tell bodies with equal joint names
    apart.
    """

    def __init__(self, morphology: Morphology) -> None:
        zeros = [0.0] * len(morphology.joint_names)
        self.joints = JointState(name=list(morphology.joint_names), position=zeros, velocity=zeros)
        self._positions, self._velocities = doubles(self.joints.position), doubles(self.joints.velocity)
        self.joints.header.frame_id = morphology.robot_id
        self.odometry = Odometry(child_frame_id=morphology.limbs[0].name)
        self.odometry.header.frame_id = "odom"
        self.imu = Imu()
        self.imu.header.frame_id = morphology.limbs[0].name
        self.clock = Clock()

    def write(self, state: RobotState, stamp_ns: int, specific_force: np.ndarray) -> None:
        """Fill all messages with a state; twist and IMU are in the torso frame, specific_force (3,) [m/s^2] too."""
        for stamp in (self.joints.header.stamp, self.odometry.header.stamp, self.imu.header.stamp, self.clock.clock):
            set_stamp(stamp, stamp_ns)
        self._positions[:] = state.joint_positions
        self._velocities[:] = state.joint_velocities
        _set_vector(self.odometry.pose.pose.position, state.position)
        _set_vector(self.odometry.twist.twist.linear, state.linear_velocity)
        for orientation in (self.odometry.pose.pose.orientation, self.imu.orientation):
            orientation.w, orientation.x, orientation.y, orientation.z = (float(value) for value in state.orientation)
        for angular in (self.odometry.twist.twist.angular, self.imu.angular_velocity):
            _set_vector(angular, state.angular_velocity)
        _set_vector(self.imu.linear_acceleration, specific_force)


class CommandReader:
    """Reads joint commands for one robot; refuses those for another one."""

    def __init__(self, morphology: Morphology) -> None:
        self._robot_id = morphology.robot_id
        self._joint_map = JointMap(morphology.joint_names)
        self._limits = np.asarray(morphology.effort_limits, dtype=float)

    def read(self, message: JointCommand, efforts: np.ndarray) -> int:
        """Write the efforts (J,) [N m], clipped to the limits, and return the stamp they answer [ns].

        Raises HdError with one sentence: another robot, wrong names, wrong length, or values that are not finite.
        """
        if message.robot_id != self._robot_id:
            raise HdError(f"command for robot {message.robot_id[:12] or '(none)'}, the simulated robot is "
                          f"{self._robot_id[:12]}")
        order = self._joint_map.order(message.joint_names)
        values = doubles(message.effort)
        if len(values) != len(message.joint_names):
            raise HdError(f"command has {len(values)} efforts for {len(message.joint_names)} joint names")
        if not np.isfinite(values).all():
            raise HdError("command has efforts that are not finite")
        np.take(values, order, out=efforts)
        np.clip(efforts, -self._limits, self._limits, out=efforts)
        return stamp_to_ns(message.header.stamp)


def _set_vector(vector: object, values: np.ndarray) -> None:
    """Write three numbers into a Vector3 or Point."""
    vector.x, vector.y, vector.z = float(values[0]), float(values[1]), float(values[2])  # type: ignore[attr-defined]
