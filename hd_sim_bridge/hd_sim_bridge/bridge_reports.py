"""What the bridge tells its operator: log and /diagnostics."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
from rclpy.node import Node

from hd_controller.diagnostics import OK, NodeDiagnostics
from hd_controller.throttled_log import ThrottledLog


class BridgeReports:
    """One line per trouble; `values` returns the key-value pairs for /diagnostics."""

    def __init__(self, node: Node, values: Callable[[], dict[str, object]]) -> None:
        self._node = node
        self.warn = ThrottledLog(lambda sentence: node.get_logger().warning(sentence))
        self._diagnostics = NodeDiagnostics(node, values)
        # Else MuJoCo writes lines of its own, and a file in whatever folder the simulation was started from.
        mujoco.set_mju_user_warning(lambda text: self.trouble("physics", f"MuJoCo warns: {text}"))

    def simulating(self, name: str, joints: int, description_sha256: str) -> None:
        """A new robot is there."""
        digest = description_sha256[:12]
        self._node.get_logger().info(f"simulating robot '{name}' ({joints} joints, description {digest})")
        self._diagnostics.report(OK, f"simulating robot '{name}'")

    def trouble(self, key: str, sentence: str) -> None:
        """One line in the log and in /diagnostics; those with the same key are one trouble."""
        self.warn(key, sentence)
        self._diagnostics.trouble(sentence)
