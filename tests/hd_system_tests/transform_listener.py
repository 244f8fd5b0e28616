"""A node that keeps what /tf, odom and joint_states say at the same instants: `python -m ... FILE COUNT`."""

import json
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import rclpy
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import JointState
from tf2_msgs.msg import TFMessage

from hd_controller import qos


class TransformListener(Node):
    """Collects instants of which all three messages came, and at which the joints are not where they were before."""

    def __init__(self) -> None:
        super().__init__("transform_listener")
        self._instants: dict[tuple[int, int], dict[str, Any]] = defaultdict(dict)
        self.create_subscription(TFMessage, "/tf", self._transforms, 100)
        self.create_subscription(Odometry, "odom", self._odometry, qos.states(True))
        self.create_subscription(JointState, "joint_states", self._joint_states, qos.states(True))

    @property
    def complete(self) -> list[dict[str, Any]]:
        """Such instants in order of time."""
        whole = [found for _, found in sorted(self._instants.items()) if len(found) == 3]
        return [new for old, new in pairwise(whole) if new["joints"] != old["joints"]]

    def _transforms(self, message: TFMessage) -> None:
        stamps = {(link.header.stamp.sec, link.header.stamp.nanosec) for link in message.transforms}
        self._instants[stamps.pop()]["links"] = [
            [link.header.frame_id, link.child_frame_id, *_pose(link.transform.translation, link.transform.rotation)]
            for link in message.transforms]
        assert not stamps, "transforms of one message have several stamps"

    def _odometry(self, message: Odometry) -> None:
        pose = message.pose.pose
        self._of(message)["odom"] = [message.header.frame_id, *_pose(pose.position, pose.orientation)]

    def _joint_states(self, message: JointState) -> None:
        self._of(message)["joints"] = dict(zip(message.name, message.position, strict=True))

    def _of(self, message: Odometry | JointState) -> dict[str, Any]:
        return self._instants[message.header.stamp.sec, message.header.stamp.nanosec]


def _pose(place: Any, turn: Any) -> list[list[float]]:
    """Position (3,) and quaternion (w, x, y, z)."""
    return [[place.x, place.y, place.z], [turn.w, turn.x, turn.y, turn.z]]


def main() -> int:
    """Listen until there are enough instants, then write them."""
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    rclpy.init(args=[])
    node = TransformListener()
    while len(node.complete) < count:
        rclpy.spin_once(node, timeout_sec=0.1)
    written = file.with_suffix(".new")
    written.write_text(json.dumps(node.complete))
    written.rename(file)
    rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
