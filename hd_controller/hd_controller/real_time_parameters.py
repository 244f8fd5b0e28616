"""Parameters of a node that may ask the operating system for real-time help."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from hd_controller import real_time
from hd_controller.errors import HdError

PARAMETERS: dict[str, tuple[object, str]] = {
    "rt_priority": (0, "1 to 99: control threads under SCHED_FIFO with this priority; 0: ordinary priority"),
    "lock_memory": (False, "keep all memory of the process in RAM"),
    "cpu_cores": ("", "cores for the control threads, such as 2 or '2,3'; empty: all"),
    "cpu_dma_latency": (real_time.NO_LATENCY_WISH,
                        "longest wake-up of any core [us]; 0: cores never sleep; -1: no wish"),
}


def declare(node: Node) -> None:
    """Declare them, read-only and described."""
    for name, (default, meaning) in PARAMETERS.items():
        node.declare_parameter(name, default, ParameterDescriptor(
            description=meaning, read_only=True, dynamic_typing=name == "cpu_cores"))


def apply(node: Node) -> None:
    """Try what the parameters ask for, with one line each; a node that does not have them is left alone.

    Raises HdError for values that can never be right.
    """
    if not node.has_parameter("rt_priority"):
        return
    values = {name: node.get_parameter(name).value for name in PARAMETERS}
    if isinstance(values["rt_priority"], bool):
        raise HdError("parameter rt_priority is a truth value; expected a number from 0 to 99")
    values["cpu_cores"] = real_time.parse_cores(values["cpu_cores"])
    wishes = real_time.RealTimeSettings(**values)
    for outcome in real_time.apply(wishes):
        if outcome.granted:
            node.get_logger().info(outcome.sentence)
        else:
            node.get_logger().warning(outcome.sentence)
