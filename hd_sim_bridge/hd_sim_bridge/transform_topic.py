"""/tf of a simulated robot: all links of its description, where tf2_msgs is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from hd_controller.kinematics import RobotState
from hd_controller.rotations import matrix_from_quaternion, quaternion_from_matrix
from hd_sim_bridge.conversions import transform_stamped
from hd_sim_bridge.link_frames import LinkFrames, LinkTransform


class TransformTopic:
    """odom -> root link -> all others, as the sensors show them; says so in one line when there is no tf2_msgs."""

    def __init__(self, node: Node, make_publisher: Callable[[type, str], Any]) -> None:
        self._publisher: Any = None
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError:
            node.get_logger().info("no /tf: tf2_msgs is not installed")
            return
        self._type = TFMessage
        self._publisher = make_publisher(TFMessage, "/tf")

    def show(self, frames: LinkFrames, state: RobotState, stamp_ns: int) -> None:
        """Publish the transforms at a state, where somebody listens."""
        if self._publisher is None or not self._publisher.wanted:
            return
        position, rotation = frames.root_pose(state.position, matrix_from_quaternion(state.orientation))
        root = LinkTransform("odom", frames.root, position, quaternion_from_matrix(rotation))
        links = [root, *frames.transforms(state.joint_positions)]
        self._publisher.publish(self._type(transforms=[transform_stamped(link, stamp_ns) for link in links]))
