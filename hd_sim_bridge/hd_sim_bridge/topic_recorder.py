"""Records what a bridge publishes, and what the other nodes around it do."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from hd_sim_bridge.mcap_file import McapFile
from hd_sim_bridge.message_definitions import message_definition

GLOBAL_TOPICS = ("/diagnostics", "/rosout", "/tf", "/tf_static", "/clock")
"""Recorded in every namespace."""
DEPTH = 200
KNOWN = (("robot_description", "std_msgs/msg/String", True), ("policy", "hd_msgs/msg/Policy", True),
         ("status", "hd_msgs/msg/ControllerStatus", True), ("joint_commands", "hd_msgs/msg/JointCommand", False))
"""Topics around a bridge, with their durability: heard from the first message on. All others are found later."""


class TopicRecorder:
    """`tap` takes what the bridge itself publishes; `look` subscribes to all else, and is called again and again."""

    def __init__(self, node: Node, path: str, now_ns: Callable[[], int]) -> None:
        """now_ns: simulated time, by which all messages are ordered."""
        self._node = node
        self._now_ns = now_ns
        self._file = McapFile(path, lambda name: message_definition(name, _share_folder), node.get_logger().error)
        self._heard: set[str] = set()
        for topic, type_name, latched in KNOWN:
            self._subscribe(node.resolve_topic_name(topic), type_name, reliable=True, latched=latched)

    def tap(self, topic: str, type_name: str, data: bytes) -> None:
        """A message that the bridge has published; its topic is not subscribed to."""
        self._heard.add(topic)
        self._file.add(topic, type_name, data, self._now_ns())

    def look(self) -> None:
        """Subscribe to topics that have come up."""
        home = self._node.get_namespace().rstrip("/") + "/"
        for topic, types in self._node.get_topic_names_and_types():
            if topic in self._heard or not (topic.startswith(home) or topic in GLOBAL_TOPICS):
                continue
            publishers = self._node.get_publishers_info_by_topic(topic)
            if publishers:
                offers = [publisher.qos_profile for publisher in publishers]
                self._subscribe(topic, types[0],
                                reliable=all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers),
                                latched=all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers))

    def close(self) -> None:
        """Complete the file."""
        self._file.close()

    def _subscribe(self, topic: str, type_name: str, *, reliable: bool, latched: bool) -> None:
        """Hear the bytes of a topic; a type that is not installed here is said once and passed over."""
        self._heard.add(topic)
        package, _, name = type_name.split("/")
        try:
            message_type = getattr(importlib.import_module(f"{package}.msg"), name)
        except (ImportError, AttributeError):
            self._node.get_logger().warning(f"{topic} is not recorded: its type {type_name} is not installed here")
            return
        quality = QoSProfile(
            depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)
        self._node.create_subscription(message_type, topic, partial(self._take, topic, type_name), quality, raw=True)

    def _take(self, topic: str, type_name: str, data: bytes) -> None:
        """A message of another node."""
        self._file.add(topic, type_name, data, self._now_ns())


def _share_folder(package: str) -> Path:
    """Where a package's files are; LookupError when it is not installed."""
    return Path(get_package_share_directory(package))
