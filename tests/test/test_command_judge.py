"""The judge of the fault tests finds every kind of unsafe command, and lets safe ones pass."""

import numpy as np
import pytest

from hd_system_tests.command_judge import LARGEST_AGE_S, CommandJudge, Rules
from hd_system_tests.message_faults import DelayLine, Faults, RobotClock
from hd_system_tests.sample_robots import legged_robot

BODY, OTHER = legged_robot("quad", 4, 1), legged_robot("long_quad", 4, 1, length=0.4)
JOINTS = len(BODY.joint_names)
PERIOD_NS = 20_000_000


@pytest.fixture
def judge() -> CommandJudge:
    """Ten states of BODY have been shown after its description."""
    judge = CommandJudge.of([BODY, OTHER])
    judge.description(BODY.robot_id)
    for number in range(1, 11):
        _show(judge, number)
    return judge


def _show(judge: CommandJudge, number: int, body=BODY, position: float = 0.1, velocity: float = 2.0) -> None:
    stamp_ns = number * PERIOD_NS
    judge.produced(stamp_ns, stamp_ns * 1e-9)
    judge.torso(stamp_ns, [0.0] * 13)
    judge.joints(stamp_ns, body.robot_id, body.joint_names, np.full(JOINTS, position), np.full(JOINTS, velocity), 0.0)


def _command(judge: CommandJudge, number: int = 10, body=BODY, effort: float = 5.0, names=None,
             sent_s: float = 1e9) -> str:
    """Equal efforts, sent after all states or at a time; the judge's complaint, empty when it has none."""
    before = judge.unsafe
    judge.command(number * PERIOD_NS, body.robot_id, names or body.joint_names, np.full(JOINTS, effort), sent_s)
    return judge.examples[-1] if judge.unsafe > before else ""


def test_safe_commands(judge) -> None:
    """Driving within the limits, damping, zero."""
    assert [_command(judge, effort=value) for value in (5.0, -2.0, 0.0, -150.0)] == [""] * 4
    assert judge.kinds == {"driving": 2, "damping": 1, "zero": 1}


def test_form(judge) -> None:
    """Limits, finiteness, names, sizes, identity: for every kind of command."""
    assert "beyond its limit" in _command(judge, effort=150.001)
    assert "not finite" in _command(judge, effort=float("nan"))
    assert "names" in _command(judge, names=BODY.joint_names[::-1])
    assert "unknown robot" in _command(judge, body=legged_robot("quad", 4, 1, radius=0.06))
    judge.command(10 * PERIOD_NS, BODY.robot_id, BODY.joint_names, np.zeros(JOINTS - 1), 0.0)
    assert judge.unsafe == 5


def test_states_that_must_not_be_answered(judge) -> None:
    """Unknown, of another body with the same joint names, not finite, without torso."""
    assert "no state" in _command(judge, 99)
    _show(judge, 11, body=OTHER)
    assert "another robot" in _command(judge, 11)
    _show(judge, 12, position=float("nan"))
    assert "not finite" in _command(judge, 12)
    _show(judge, 13)
    judge.torso(13 * PERIOD_NS, [float("inf")] * 13)
    assert "torso" in _command(judge, 13)
    assert [_command(judge, 99, effort=0.0), _command(judge, 11, effort=0.0)] == ["", ""]


def test_description_of_another_robot(judge) -> None:
    """Two periods are allowed, and no more; a text that no robot can be made of ends driving too."""
    judge.description(OTHER.robot_id)
    for number in (11, 12, 13):
        _show(judge, number)
    assert [bool(_command(judge, number)) for number in (10, 12, 13)] == [False, False, True]
    assert _command(judge, 13, effort=-2.0) == ""
    judge.description(BODY.robot_id)
    assert _command(judge, 13) == ""
    judge.description(None)
    for number in (14, 15, 16):
        _show(judge, number)
    assert "another robot's description" in _command(judge, 16)


def test_age(judge) -> None:
    """Counted until a command was sent, in the robot's states and on the judge's clock; the lesser one counts."""
    now_s, allowed = 10 * PERIOD_NS * 1e-9, int(LARGEST_AGE_S * 1e9 / PERIOD_NS)
    for number in range(11, 20 + allowed):
        judge.produced(number * PERIOD_NS, now_s + 0.01)
    assert _command(judge, 10) == ""
    judge.produced(100 * PERIOD_NS, now_s + LARGEST_AGE_S + 0.001)
    assert "s old" in _command(judge, 10)
    assert _command(judge, 10, sent_s=now_s + LARGEST_AGE_S) == "", "heard of late, but sent in time"
    _show(judge, 101)
    judge.produced(102 * PERIOD_NS, now_s + 30.0)
    assert _command(judge, 101) == ""
    relaxed = CommandJudge.of([BODY], Rules(old_states_refused=False))
    relaxed.description(BODY.robot_id)
    for number in range(1, 30):
        _show(relaxed, number)
    assert _command(relaxed, 1) == ""


def test_pushes(judge) -> None:
    """Into a bound that is reached, and faster at the velocity limit."""
    _show(judge, 11, position=0.9)
    assert "position bound" in _command(judge, 11, effort=1.0)
    assert _command(judge, 11, effort=-1.0) == ""
    _show(judge, 12, velocity=20.0)
    assert "speeds up" in _command(judge, 12, effort=1.0)
    assert _command(judge, 12, effort=-1.0) == ""


def test_delay_line() -> None:
    """Shares and times of lost, doubled and delayed messages; the seed repeats them."""
    def run(seed: int, **faults: float) -> list[int]:
        line = DelayLine(seed)
        for number in range(1000):
            line.send(number, number * 0.02, **faults)
        assert line.arrived(-1.0) == []
        got = line.arrived(1e9)
        assert line.wait_s(0.0) == float("inf")
        return got

    assert run(1) == list(range(1000))
    assert run(1, loss=0.3) == run(1, loss=0.3) != run(2, loss=0.3)
    assert 600 < len(run(1, loss=0.3)) < 800
    assert len(run(1, duplicate=1.0)) == 2000
    mixed = run(1, reorder_s=0.05)
    assert sorted(mixed) == list(range(1000)) and mixed != sorted(mixed)
    assert max(abs(place - number) for place, number in enumerate(mixed)) <= 3
    line = DelayLine(1)
    line.send("late", 1.0, delay_s=0.2)
    assert (line.arrived(1.19), line.wait_s(1.1), line.arrived(1.2)) == ([], pytest.approx(0.1), ["late"])
    with pytest.raises(ValueError, match="frozen"):
        Faults(frozen="arms")


def test_robot_clock() -> None:
    """Stamps of real time or the robot's own, shifted or not, and back."""
    real, own = RobotClock(True), RobotClock(False)
    assert [real.shown(20, 1000, 0), real.shown(20, 1001, 0), real.shown(40, 1002, -500)] == [1000, 1000, 502]
    assert [real.own(1000), real.own(502), real.own(77)] == [20, 40, 0]
    assert [own.shown(20, 1000, 0), own.shown(40, 1000, -30), own.own(20), own.own(10)] == [20, 10, 20, 40]
    for number in range(100, 200):
        real.shown(number, 2000 + number, 0)
    assert real.shown(20, 9000, 0) == 9000
