"""A state to draw from messages as they come, however little there is of it. Needs no ROS: fields are read by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from hd_controller.kinematics import RobotState
from hd_controller.morphology import sanitised_name

MOST_JOINTS = 2048
"""A longer list is no robot's and is not looked at."""


def drawable_state(rest: RobotState, joint_names: tuple[str, ...], joints: Any, odometry: Any,
                   imu: Any) -> tuple[RobotState, list[str]]:
    """The state that was measured last, and the names of joints that were not.

    Args:
        rest: stands in for all that is missing or not finite.
        joint_names: (J,) of the body.
        joints: sensor_msgs/JointState or None; names in any order.
        odometry: nav_msgs/Odometry or None: pose of the torso.
        imu: sensor_msgs/Imu or None: orientation of the torso where there is no odometry.
    """
    position, orientation = np.array(rest.position), np.array(rest.orientation)
    if odometry is not None:
        pose = odometry.pose.pose
        position = _finite((pose.position.x, pose.position.y, pose.position.z), position)
        orientation = _quaternion(pose.orientation, orientation)
    elif imu is not None and imu.orientation_covariance[0] != -1.0:
        orientation = _quaternion(imu.orientation, orientation)
    measured: dict[str, float] = {}
    if joints is not None and len(joints.name) <= MOST_JOINTS:
        measured = {sanitised_name(name): value for name, value in zip(joints.name, joints.position, strict=False)}
    positions, missing = np.array(rest.joint_positions), []
    for place, name in enumerate(joint_names):
        value = measured.get(name)
        if value is None or not np.isfinite(value):
            missing.append(name)
        else:
            positions[place] = value
    state = RobotState(rest.stamp_ns, position, orientation, np.zeros(3), np.zeros(3), positions,
                       np.zeros(len(positions)))
    return state, missing


def forward_speed(odometry: Any) -> float:
    """Speed of the torso along +x of the world [m/s]; the twist of an odometry is in the torso frame."""
    turn, linear = odometry.pose.pose.orientation, odometry.twist.twist.linear
    w, x, y, z = turn.w, turn.x, turn.y, turn.z
    length = w * w + x * x + y * y + z * z
    if not 0 < length < float("inf"):
        return 0.0
    speed = ((w * w + x * x - y * y - z * z) * linear.x + 2 * (x * y - w * z) * linear.y
             + 2 * (x * z + w * y) * linear.z) / length
    return float(speed) if np.isfinite(speed) else 0.0


def effort_shares(efforts: Any, limits: dict[str, float]) -> tuple[float, float]:
    """Largest and mean effort of a hd_msgs/JointCommand in percent of the joints' limits."""
    if len(efforts.joint_names) > MOST_JOINTS:
        return 0.0, 0.0
    shares = [abs(value) / limits[name] for name, value in zip(efforts.joint_names, efforts.effort, strict=False)
              if limits.get(name, 0.0) > 0 and np.isfinite(value)]
    return (100 * max(shares), 100 * sum(shares) / len(shares)) if shares else (0.0, 0.0)


def _finite(values: tuple[float, ...], otherwise: np.ndarray) -> np.ndarray:
    """The values where all are finite."""
    return np.array(values) if np.isfinite(values).all() else otherwise


def _quaternion(turn: Any, otherwise: np.ndarray) -> np.ndarray:
    """(w, x, y, z) where that is a quaternion of a length that can be normalised."""
    values = _finite((turn.w, turn.x, turn.y, turn.z), otherwise)
    return values if 1e-6 < float(np.linalg.norm(values)) < 1e6 else otherwise
