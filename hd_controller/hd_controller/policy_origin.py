"""Where a controller's policies come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rclpy.node import Node

from hd_controller import conversions, qos
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.runnable_policy import RunnablePolicy
from hd_msgs.msg import Policy


class PolicyOrigin(Protocol):
    """Hands on items that have a `description_sha256`, and makes a policy of the one that is wanted."""

    def open(self, node: Node, take: Callable[[Any], None]) -> None:
        """Begin to give items to `take`, on the executor thread; raises HdError where that cannot be."""

    def described(self, text: str, sha256: str) -> None:
        """The robot has changed; executor thread."""

    def first(self) -> RunnablePolicy | None:
        """A policy that is there before any description."""

    def policy_of(self, item: Any) -> RunnablePolicy:
        """A checked policy; runs in a thread of its own. Raises HdError with the reason why there is none."""


class GeneratedPolicies:
    """Policies of the topic `policy`, and the file that the parameter policy_file names."""

    def open(self, node: Node, take: Callable[[Any], None]) -> None:
        """Subscribe; every message is an item."""
        self._file = node.get_parameter("policy_file").value
        node.create_subscription(Policy, "policy", take, qos.latched())

    def described(self, text: str, sha256: str) -> None:
        """The generator reads descriptions itself."""

    def first(self) -> RunnablePolicy | None:
        """The policy of the file, if there is one; raises HdError when it cannot be read."""
        return PolicyBundle.load(self._file) if self._file else None

    def policy_of(self, item: Policy | PolicyBundle) -> RunnablePolicy:
        """Read a message; a policy from a file is one already."""
        return item if isinstance(item, PolicyBundle) else conversions.policy_from_message(item)
