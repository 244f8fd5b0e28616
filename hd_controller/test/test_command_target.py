"""The command controller is asked for its joints for as long as the robot may run."""

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from rcl_interfaces.msg import ParameterType, ParameterValue

from hd_controller.command_target import CommandTarget
from hd_controller.errors import HdError

ORDER = ("hip", "knee")


class Client:
    """Answers with `joints` at once; None: does not answer."""

    def __init__(self) -> None:
        self.ready, self.joints, self.pending = True, None, 0

    def service_is_ready(self) -> bool:
        """Whether the node is there."""
        return self.ready

    def call_async(self, request: object) -> SimpleNamespace:
        """An answer, or a future that never comes."""
        self.pending += 1
        if self.joints is None:
            return SimpleNamespace(add_done_callback=lambda callback: None)
        self.pending -= 1
        values = [ParameterValue(type=ParameterType.PARAMETER_STRING_ARRAY, string_array_value=list(self.joints)),
                  ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="effort")]
        future = SimpleNamespace(exception=lambda: None, result=lambda: SimpleNamespace(values=values))
        future.add_done_callback = lambda callback: callback(future)
        return future

    def remove_pending_request(self, future: object) -> None:
        """Forget one."""
        self.pending = max(0, self.pending - 1)


@pytest.fixture
def target() -> SimpleNamespace:
    """A CommandTarget with client and timer, what it has said, and what stood in the way while it was withdrawn."""
    client, told, withdrawn, ticks = Client(), [], [], []
    node = SimpleNamespace(create_client=lambda kind, name: client,
                           create_timer=lambda period, tick, clock: ticks.append(tick))
    asked = CommandTarget(node, "drives", ORDER, told.append, lambda _sentence: withdrawn.append(asked.obstacle))
    return SimpleNamespace(it=asked, client=client, told=told, withdrawn=withdrawn, tick=ticks[0])


def test_a_confirmed_order_that_changes_is_withdrawn_once(target: SimpleNamespace) -> None:
    assert "not said yet" in target.it.obstacle
    target.client.joints = ORDER
    target.tick()
    assert target.it.obstacle == "" and not target.withdrawn
    target.client.joints = ORDER[::-1]
    target.tick()
    target.tick()
    assert "same order" in target.it.obstacle and len(target.told) == 2
    assert len(target.withdrawn) == 1 and "same order" in target.withdrawn[0]  # not even a last zero may leave
    target.client.joints = ORDER
    target.tick()
    assert target.it.obstacle == ""


def test_a_command_controller_that_is_gone_is_withdrawn(target: SimpleNamespace) -> None:
    target.client.joints = ORDER
    target.tick()
    target.client.ready = False
    target.tick()
    target.tick()
    assert "is gone" in target.it.obstacle and target.withdrawn == [""]  # a last zero may leave


def test_questions_without_an_answer_do_not_pile_up(target: SimpleNamespace) -> None:
    for _ in range(10):
        target.tick()
    assert target.client.pending == 1 and "not said yet" in target.it.obstacle


def test_what_is_no_name_of_a_node_is_refused() -> None:
    import rclpy
    from rclpy.context import Context

    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("asks", context=context)
    try:
        with pytest.raises(HdError, match="expected the name of a node"):
            CommandTarget(node, "no node!", ORDER, print, print)
    finally:
        node.destroy_node()
        context.try_shutdown()
