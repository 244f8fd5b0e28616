"""What one message says about the robot's state, as plain numbers: no ROS, and no more than the controller uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hd_controller.state_assembly import StateAssembly

ROBOT_TAG_LENGTH = 64
"""A sender that knows which robot it shows says so by this many hexadecimal digits."""


class JointReading(NamedTuple):
    """Joint positions [rad] and velocities [rad/s] in the order of `names`; lengths are as the message has them."""

    stamp_ns: int
    frame_id: str
    names: Sequence[str]
    positions: Sequence[float]
    velocities: Sequence[float]

    @property
    def tagged(self) -> bool:
        """Whether the sender says which robot it shows."""
        return len(self.frame_id) == ROBOT_TAG_LENGTH

    def hand_to(self, assembly: StateAssembly, robot_id: str, now_s: float) -> None:
        """Let the assembly take it.

        Raises StateError for the state of another robot, wrong names, wrong lengths and values that are not finite.
        """
        if self.tagged and self.frame_id != robot_id:
            assembly.refuse_joints(f"joint_states are those of robot {self.frame_id[:12]}, the policy is for "
                                   f"{robot_id[:12]}")
        assembly.take_joints(self.stamp_ns, self.names, self.positions, self.velocities, now_s)


class BaseReading(NamedTuple):
    """Torso pose and twist from odometry; see StateAssembly.take_base for the 13 numbers."""

    stamp_ns: int
    base: Sequence[float]

    def hand_to(self, assembly: StateAssembly, robot_id: str, now_s: float) -> None:
        """Let the assembly take it; raises StateError as StateAssembly.take_base does."""
        assembly.take_base(self.stamp_ns, self.base, now_s)


class ImuReading(NamedTuple):
    """Orientation (w, x, y, z), angular velocity [rad/s] and specific force [m/s^2]; None where it has none."""

    stamp_ns: int
    orientation: Sequence[float] | None
    angular: Sequence[float]
    force: Sequence[float] | None

    def hand_to(self, assembly: StateAssembly, robot_id: str, now_s: float) -> None:
        """Let the assembly take it; raises StateError without orientation and as StateAssembly.take_imu does."""
        if self.orientation is None:
            assembly.refuse_base("imu carries no orientation (covariance[0] is -1); an IMU with orientation is needed")
        assembly.take_imu(self.stamp_ns, self.orientation, self.angular, now_s, self.force)


Reading = JointReading | BaseReading | ImuReading
