"""The only module of this package that knows message fields. All float64 values pass bit by bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState

from hd_controller.conversions import doubles, set_stamp, stamp_to_ns
from hd_controller.errors import HdError
from hd_controller.joint_map import JointMap
from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_msgs.msg import Contact as ContactMessage
from hd_msgs.msg import Contacts as ContactsMessage
from hd_msgs.msg import JointCommand
from hd_msgs.srv import ResetSimulation
from hd_sim_bridge.contact_forces import Contact
from hd_sim_bridge.link_frames import LinkTransform
from hd_sim_bridge.simulation import SpawnPose


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

    def write(self, state: RobotState, stamp_ns: int, specific_force: np.ndarray) -> None:
        """Fill all messages with a state; twist and IMU are in the torso frame, specific_force (3,) [m/s^2] too."""
        for stamp in (self.joints.header.stamp, self.odometry.header.stamp, self.imu.header.stamp):
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


class DetailWriter:
    """Messages of one robot that only a simulation knows: contacts and the torques of its motors."""

    def __init__(self, morphology: Morphology) -> None:
        self.torques = JointState(name=list(morphology.joint_names), effort=[0.0] * len(morphology.joint_names))
        self.torques.header.frame_id = morphology.robot_id

    def write_torques(self, efforts: np.ndarray, stamp_ns: int) -> JointState:
        """Efforts (J,) [N m] that act."""
        set_stamp(self.torques.header.stamp, stamp_ns)
        doubles(self.torques.effort)[:] = efforts
        return self.torques

    def write_contacts(self, contacts: list[Contact], stamp_ns: int) -> ContactsMessage:
        """All contacts at one instant."""
        message = ContactsMessage()
        message.header.frame_id = "odom"
        set_stamp(message.header.stamp, stamp_ns)
        for contact in contacts:
            entry = ContactMessage(limb=contact.limb, other=contact.other)
            for vector, values in ((entry.position, contact.position), (entry.normal, contact.normal),
                                   (entry.force, contact.force)):
                _set_vector(vector, values)
            message.contacts.append(entry)
        return message


def transform_stamped(transform: LinkTransform, stamp_ns: int) -> TransformStamped:
    """The message of one transform."""
    message = TransformStamped(child_frame_id=transform.child)
    message.header.frame_id = transform.parent
    set_stamp(message.header.stamp, stamp_ns)
    _set_vector(message.transform.translation, transform.position)
    rotation = message.transform.rotation
    rotation.w, rotation.x, rotation.y, rotation.z = (float(value) for value in transform.orientation)
    return message


def vector(message: Point | Vector3) -> np.ndarray:
    """(3,) numbers of a message."""
    return np.array([message.x, message.y, message.z])


def spawn_pose(request: ResetSimulation.Request, joint_names: Sequence[str]) -> SpawnPose | None:
    """The pose that a reset asks for; raises HdError for joints that are not those of the robot."""
    if not request.set_pose:
        return None
    rotation = request.pose.orientation
    orientation = np.array([rotation.w, rotation.x, rotation.y, rotation.z])
    positions = None
    if request.joint_names or request.joint_positions:
        if len(request.joint_names) != len(request.joint_positions):
            counts = f"{len(request.joint_positions)} positions for {len(request.joint_names)} joints"
            raise HdError(f"the pose has {counts}; expected as many")
        order = JointMap(joint_names).order(list(request.joint_names))
        positions = np.array(request.joint_positions, dtype=float)[order]
    return SpawnPose(vector(request.pose.position), orientation, positions)


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


def clock_message(now_ns: int) -> Clock:
    """Simulated time."""
    message = Clock()
    set_stamp(message.clock, now_ns)
    return message
