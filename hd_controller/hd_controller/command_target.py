"""Asks the command controller of ros2_control which joints it drives, and in which order, before the robot may run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidServiceNameException
from rclpy.node import Node

from hd_controller.errors import HdError

ASK_PERIOD_S = 1.0


def order_problem(controller: str, expected: Sequence[str], joints: Sequence[str], interface: str) -> str:
    """Why a forward_command_controller must not get our commands; empty when all is right."""
    if interface != "effort":
        return f"{controller} drives the interface '{interface}'; expected effort"
    if list(joints) != list(expected):
        return (f"{controller} has the joints [{', '.join(joints)}]; joint_order is [{', '.join(expected)}]; both must "
                "be the same, in the same order")
    return ""


class CommandTarget:
    """Keeps `obstacle`: the sentence why the robot must get no commands, empty while the order is confirmed.

    It is asked for all the time, because a command controller can be loaded again with other joints: `tell` gets what
    is wrong, `withdraw` the same once the order was confirmed and is not any more. With an empty controller name
    nothing is asked and nothing stands in the way.
    """

    def __init__(self, node: Node, controller: str, joint_order: Sequence[str], tell: Callable[[str], object],
                 withdraw: Callable[[str], object]) -> None:
        self.obstacle = ""
        if not controller:
            return
        self._controller = controller
        self._expected = tuple(joint_order)
        self._tell, self._withdraw = tell, withdraw
        self._asked: Any = None
        self.obstacle = f"{controller} has not said yet which joints it drives; is it loaded?"
        try:
            self._client = node.create_client(GetParameters, f"{controller}/get_parameters")
        except InvalidServiceNameException:
            raise HdError(f"parameter command_controller is {controller!r}; expected the name of a node, such as "
                          "forward_effort_controller") from None
        self._timer = node.create_timer(ASK_PERIOD_S, self._ask, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _ask(self) -> None:
        """Ask, whether the question before was answered or not."""
        if self._asked is not None:
            self._client.remove_pending_request(self._asked)
            self._asked = None
        if self._client.service_is_ready():
            request = GetParameters.Request(names=["joints", "interface_name"])
            self._asked = self._client.call_async(request)
            self._asked.add_done_callback(self._answered)
        elif not self.obstacle:
            self._judge(f"{self._controller} is gone; it must be loaded and say which joints it drives", gone=True)

    def _answered(self, future: Any) -> None:
        """Compare."""
        values = list(future.result().values) if future.exception() is None and future.result() else []
        if len(values) == 2 and values[0].type == ParameterType.PARAMETER_STRING_ARRAY:
            self._judge(order_problem(self._controller, self._expected, values[0].string_array_value,
                                      values[1].string_value))
        else:
            self._judge(f"{self._controller} has no parameter joints; is it a forward_command_controller?")

    def _judge(self, obstacle: str, *, gone: bool = False) -> None:
        """Take what was found; empty: all is right.

        One that is gone still counts as confirmed while it is withdrawn: perhaps the question alone found no way, and
        the last effort would hold for ever. One that has answered wrongly does not.
        """
        confirmed = not self.obstacle
        if not gone:
            self.obstacle = obstacle
        if obstacle:
            self._tell(obstacle)
            if confirmed:
                self._withdraw(obstacle)
        self.obstacle = obstacle
