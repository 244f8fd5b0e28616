"""A controller that stood still amid a control step, as a computer short of memory makes it."""

import time

import pytest

from hd_system_tests.fed_controller import policy_of

STANDSTILL_S = 0.15
"""Longer than the parameter `state_timeout`."""


@pytest.mark.integration
def test_an_answer_that_comes_too_late_is_not_sent(fed, robots, monkeypatch) -> None:
    """The state was fresh when the step began; when it ends, zero is all that may be sent."""
    from rclpy.serialization import deserialize_message

    from hd_msgs.msg import JointCommand

    fed.take(policy_of(robots, "strider"))
    fed.run(5)
    sent: list[bytes] = []
    controller, answer = fed.node._controller, fed.node._controller.answer

    def answer_late(*arguments, **options):
        efforts = answer(*arguments, **options)
        time.sleep(STANDSTILL_S)  # the standstill itself
        return efforts

    monkeypatch.setattr(fed.node._commands, "publish", lambda message: sent.append(bytes(message)))
    monkeypatch.setattr(controller, "answer", answer_late)
    fed.run(1)
    assert [set(deserialize_message(message, JointCommand).effort) for message in sent] == [{0.0}]
    assert "no valid state" in fed.node._modes.message
    monkeypatch.setattr(controller, "answer", answer)
    fed.run(5)
    assert any(deserialize_message(sent[-1], JointCommand).effort), fed.node._modes.message


@pytest.mark.integration
def test_a_silent_sender_is_no_lateness_of_the_controller(fed, robots) -> None:
    """Ticks of the steady clock go on where states are missing; the histogram of periods must not show a gap."""
    fed.node._by_state = False
    fed.take(policy_of(robots, "strider"))
    timing, period_s = fed.node._reports.timing, fed.node._settings.control_period_s
    fed.run(5)
    fed.node._tick()
    before, end_s = timing.step_time.total, time.monotonic() + 2 * STANDSTILL_S
    next_s = time.monotonic()
    while next_s < end_s:
        next_s += period_s
        time.sleep(max(0.0, next_s - time.monotonic()))  # what the steady clock does
        fed.node._tick()
    steps = timing.step_time.total - before
    assert "no valid state" in fed.node._modes.message and timing.period_error.total > steps + 1
    fed.run(1)
    fed.node._tick()
    assert timing.step_time.total == before + steps + 1
    assert timing.period_error.max_s < STANDSTILL_S
