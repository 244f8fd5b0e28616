"""Nothing fresh to answer ends in a zero command, once the newest is too old; on a clock of the test's own."""

from collections.abc import Iterator

import pytest

from hd_system_tests.fed_controller import FedController, policy_of

PERIOD_S, TIMEOUT_S = 0.02, 0.1


class Driven:
    """A controller in mode run, its clock, and the efforts that it has sent; it is asked when it wants to be asked."""

    def __init__(self, fed: FedController, monkeypatch: pytest.MonkeyPatch) -> None:
        from rclpy.serialization import deserialize_message

        from hd_msgs.msg import JointCommand

        self.fed, self.node, self.now_s = fed, fed.node, 1e6
        self.sent: list[tuple[float, bool]] = []
        """Time [s] of each command, and whether it drives."""
        monkeypatch.setattr("time.monotonic", lambda: self.now_s)
        monkeypatch.setattr(fed.node._commands, "publish", lambda message: self.sent.append(
            (self.now_s, any(deserialize_message(bytes(message), JointCommand).effort))))
        self._due_s = self.now_s

    def periods(self, count: int, **lags_ns: int) -> None:
        """So many states; see FedController.run."""
        for _ in range(count):
            self.fed.run(1, **lags_ns)
            self._pass(PERIOD_S)

    def silence(self, seconds: float) -> None:
        """Nothing comes."""
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self._due_s <= end_s:
            self.now_s = max(self.now_s, self._due_s)
            wanted_s = self.node.watch()
            assert wanted_s > 0, "the loop would spin"
            self._due_s = self.now_s + wanted_s
        self.now_s = end_s

    def zero_after(self, begin_s: float) -> float:
        """Seconds from then until commands have ended with zero for good."""
        drives = [driving for _, driving in self.sent]
        assert drives and not drives[-1], "the last command drives"
        last_driving = max((place for place, driving in enumerate(drives) if driving), default=-1)
        return self.sent[last_driving + 1][0] - begin_s


@pytest.fixture
def driven(fed: FedController, robots: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    """In run, with states at 50 Hz so far."""
    fed.take(policy_of(robots, "strider"))
    result = Driven(fed, monkeypatch)
    result.periods(10)
    assert result.sent[-1][1]
    yield result
    monkeypatch.undo()


@pytest.mark.integration
def test_silence(driven: Driven) -> None:
    """Zero as soon as the newest state is as old as the timeout, once, and a fault that clears itself."""
    last_s = driven.now_s - PERIOD_S
    driven.silence(1.0)
    assert TIMEOUT_S < driven.zero_after(last_s) < TIMEOUT_S + 0.002
    assert [driving for _, driving in driven.sent].count(False) == 1
    assert driven.node._modes.message == "no valid state for 0.1 s"
    driven.periods(1)
    assert driven.sent[-1][1]


@pytest.mark.integration
def test_a_watch_asks_for_the_time_that_is_left(driven: Driven) -> None:
    """So that it comes neither late nor for nothing."""
    driven.now_s += 0.03 - PERIOD_S
    assert driven.node.watch() == pytest.approx(TIMEOUT_S - 0.03)
    driven.now_s += 0.0699
    assert driven.node.watch() == pytest.approx(0.001)


@pytest.mark.integration
def test_messages_whose_stamps_never_agree(driven: Driven) -> None:
    """Both topics are fresh, no state is whole."""
    last_s = driven.now_s - PERIOD_S
    driven.periods(50, odom_ns=1)
    assert TIMEOUT_S < driven.zero_after(last_s) < TIMEOUT_S + 0.002
    assert "need the same stamp" in driven.node._modes.message
    driven.periods(1)
    assert driven.sent[-1][1]


@pytest.mark.integration
def test_stamps_that_go_back_a_little(driven: Driven) -> None:
    """States older than the one answered last are not answered; by less than a second that is no new start."""
    last_s = driven.now_s - PERIOD_S
    driven.periods(20, joints_ns=-900_000_000, odom_ns=-900_000_000)
    assert TIMEOUT_S < driven.zero_after(last_s) < TIMEOUT_S + 0.002


@pytest.mark.integration
def test_silence_after_an_emergency_stop_that_damped(driven: Driven) -> None:
    """The damping command must not act for ever either, and what was sent before it does not count."""
    driven.node._send_zero()
    driven.node.stop_now("test")
    assert driven.sent[-1][1], "damping"
    last_s = driven.now_s - PERIOD_S
    driven.silence(1.0)
    assert driven.zero_after(last_s) < TIMEOUT_S + 0.002


@pytest.mark.integration
def test_states_from_before_the_description_are_not_its_robot_s(driven: Driven, robots: object) -> None:
    """On the node's clock, where states do not say which robot they are of."""
    from std_msgs.msg import String

    driven.node._description(String(data=robots.texts["quad"]))
    driven.fed.take(policy_of(robots, "quad"))
    driven.sent.clear()
    driven.periods(5)  # the test's stamps are from the year 2001
    assert not driven.sent


@pytest.mark.integration
def test_a_steady_clock_slower_than_the_timeout_answers_often_enough(driven: Driven) -> None:
    """States are fresh at every tick, and answered once in its period."""
    node = driven.node
    node._by_state, node._tick_period_s = False, 0.2
    for count in range(100):
        driven.periods(1)
        if count % 10 == 0:
            node._tick()
    assert all(driving for _, driving in driven.sent)
    node._tick()
    last_s = driven.now_s
    driven.periods(20)
    assert TIMEOUT_S + 0.2 < driven.zero_after(last_s) < TIMEOUT_S + 0.202
