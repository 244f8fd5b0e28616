"""Keeps an emergency stop for controllers that start, or start again, after it was sent.

A volatile publisher's message is gone for whoever joins later. A node that is there already hears it and repeats `true`
once as transient local, on the same topic; so a controller that starts later finds it and stays stopped until somebody
resets it.
"""

from __future__ import annotations

from rclpy.node import Node
from std_msgs.msg import Bool

from hd_controller import qos


class StopMemory:
    """Repeats the first `true` heard on `e_stop`; `false` is never repeated, since it never releases."""

    def __init__(self, node: Node) -> None:
        self._log = node.get_logger()
        self._repeated = False
        self._publisher = node.create_publisher(Bool, "e_stop", qos.latched())
        for profile in (qos.volatile(True), qos.volatile(False)):
            node.create_subscription(Bool, "e_stop", self._heard, profile)

    def _heard(self, message: Bool) -> None:
        if message.data and not self._repeated:
            self._repeated = True
            self._publisher.publish(Bool(data=True))
            self._log.warning("emergency stop heard; it is kept for controllers that start later")
