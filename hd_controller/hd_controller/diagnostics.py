"""The node's entry in /diagnostics: sent once a second, and at once when something changes for the worse."""

from __future__ import annotations

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
TROUBLE_SHOWN_S = 5.0


class NodeDiagnostics:
    """Publishes one DiagnosticStatus for a node.

    `values` is called for every message and returns the key-value pairs to show. A report stays until the next one; a
    trouble is shown for a few seconds instead of the report.
    """

    def __init__(self, node: Node, values: Callable[[], dict[str, object]],
                 every_second: Callable[[], None] | None = None) -> None:
        """`every_second` is called before each regular message: one timer for all that is told once a second."""
        self._node = node
        self._values = values
        self._every_second = every_second
        self._level = OK
        self._message = "ready"
        self._trouble = ""
        self._trouble_until_s = 0.0
        self._name = node.get_fully_qualified_name().lstrip("/")
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.create_timer(1.0, self._tell, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def report(self, level: bytes, message: str) -> None:
        """Set level and sentence; published at once when they differ from what was shown before."""
        if (level, message) != (self._level, self._message):
            self._level, self._message = level, message
            self._publish()

    def trouble(self, sentence: str) -> None:
        """Show an error that passes by itself; published at once when it is not the one shown already."""
        fresh = sentence != self._trouble or time.monotonic() >= self._trouble_until_s
        self._trouble, self._trouble_until_s = sentence, time.monotonic() + TROUBLE_SHOWN_S
        if fresh:
            self._publish()

    def _tell(self) -> None:
        """What is due once a second."""
        if self._every_second is not None:
            self._every_second()
        self._publish()

    def _publish(self) -> None:
        """Send the present state, if anybody listens: it is sent again within a second."""
        if not self._publisher.get_subscription_count():
            return
        level, message = self._level, self._message
        if time.monotonic() < self._trouble_until_s:
            level, message = ERROR, self._trouble
        status = DiagnosticStatus(level=level, name=self._name, message=message, hardware_id="")
        status.values = [KeyValue(key=key, value=str(value)) for key, value in self._values().items()]
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)
