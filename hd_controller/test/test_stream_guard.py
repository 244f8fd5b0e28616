"""Order and time of messages: each guard refuses what it must, counts rows, and lets good messages through."""

import numpy as np
import pytest

from hd_controller.guard_settings import GuardSettings, profile_settings
from hd_controller.joint_map import StateError
from hd_controller.state_assembly import StateAssembly
from hd_controller.stream_guard import StreamGuard

START_NS = 1_700_000_000_000_000_000


def _ns(seconds: float) -> int:
    return START_NS + round(seconds * 1e9)


def _refused_by(guard: StreamGuard, stamp_s: float, now_s: float) -> str:
    """Name of the guard that refuses a message, empty when it is let through."""
    try:
        guard.check(_ns(stamp_s), now_s)
    except StateError as problem:
        assert len(str(problem)) > 20
        return problem.guard
    return ""


def test_a_regular_stream_passes_every_guard() -> None:
    guard = StreamGuard("joint_states", profile_settings("hardware"))
    random = np.random.default_rng(0)
    for step in range(2000):
        jitter_s = random.uniform(0, 0.02)
        assert _refused_by(guard, step * 0.02, 100.0 + step * 0.02 + jitter_s) == ""


def test_out_of_order_is_refused_and_the_newest_stays() -> None:
    guard = StreamGuard("odom", GuardSettings(out_of_order_limit=3))
    results = [_refused_by(guard, stamp, 5.0) for stamp in (1.0, 1.04, 1.02, 1.03, 1.06)]
    assert results == ["", "", "out_of_order", "out_of_order", ""]


def test_a_clock_that_starts_again_is_not_out_of_order() -> None:
    guard = StreamGuard("odom", GuardSettings(out_of_order_limit=3))
    assert [_refused_by(guard, stamp, 5.0) for stamp in (10.0, 0.0, 0.02)] == ["", "", ""]


def test_a_repeated_stamp_is_refused_when_asked_for() -> None:
    guard = StreamGuard("odom", GuardSettings(duplicated_limit=2))
    assert [_refused_by(guard, stamp, 5.0) for stamp in (1.0, 1.0, 1.0, 1.02)] == ["", "duplicated", "duplicated", ""]
    benchmark = StreamGuard("odom", GuardSettings())
    assert [_refused_by(benchmark, stamp, 5.0) for stamp in (1.0, 1.0, 0.9)] == ["", "", ""]


@pytest.mark.parametrize("jump_s", [-5.0, -0.6, 0.6, 3600.0])
def test_a_clock_jump_is_refused_once_and_the_new_clock_counts(jump_s: float) -> None:
    guard = StreamGuard("odom", profile_settings("hardware"))
    for step in range(5):
        assert _refused_by(guard, step * 0.02, step * 0.02) == ""
    assert _refused_by(guard, 0.1 + jump_s, 0.1) == "clock_jump"
    assert _refused_by(guard, 0.12 + jump_s, 0.12) == ("" if jump_s > 0 else "delay")
    assert [_refused_by(guard, now_s + jump_s, now_s) for now_s in (0.21, 0.23)] == ["", ""]


def test_a_queue_worked_off_after_a_stall_is_not_used() -> None:
    """A receiver that stood still for 3 s finds ten old messages: none is taken for one of a clock that was set."""
    guard = StreamGuard("odom", profile_settings("hardware"))
    for step in range(5):
        assert _refused_by(guard, step * 0.02, step * 0.02) == ""
    queue = [_refused_by(guard, 0.1 + step * 0.02, 3.1 + step * 0.001) for step in range(10)]
    assert queue == ["clock_jump", *["delay"] * 9]
    fresh = [_refused_by(guard, stamp_s, stamp_s) for stamp_s in (3.12, 3.14, 3.20, 3.23)]
    assert fresh == ["clock_jump", "delay", "delay", ""]


def test_a_queue_that_lost_its_middle_is_not_used() -> None:
    """After a stall the first message is old, the others are 0.16 s late: the jump between them settles nothing."""
    guard = StreamGuard("odom", profile_settings("hardware"))
    assert [_refused_by(guard, stamp_s, stamp_s) for stamp_s in (0.0, 0.02)] == ["", ""]
    assert _refused_by(guard, 0.04, 1.0) == "clock_jump"
    late = [_refused_by(guard, now_s - 0.16, now_s) for now_s in (1.01, 1.03, 1.05)]
    assert late == ["clock_jump", "delay", "delay"]
    assert [_refused_by(guard, stamp_s, stamp_s) for stamp_s in (1.06, 1.12)] == ["delay", ""]
    assert _refused_by(guard, 1.0, 1.16) == "out_of_order"
    assert _refused_by(guard, 1.14, 1.30) == "delay"


def test_silence_is_no_clock_jump() -> None:
    guard = StreamGuard("odom", profile_settings("hardware"))
    assert _refused_by(guard, 0.0, 0.0) == ""
    assert _refused_by(guard, 30.0, 30.0) == ""


def test_late_messages_are_refused_until_they_come_in_time_again() -> None:
    guard = StreamGuard("odom", GuardSettings(max_delay=0.05))
    delays_s = [0.01, 0.002, 0.03, 0.2, 0.2, 0.2, 0.04, 0.003]
    results = [_refused_by(guard, 0.02 * step, 0.02 * step + delay) for step, delay in enumerate(delays_s)]
    assert results == ["", "", "", "delay", "delay", "delay", "", ""]


def test_clocks_may_drift_apart_slowly() -> None:
    guard = StreamGuard("odom", GuardSettings(max_delay=0.05))
    assert all(_refused_by(guard, 0.02 * step, 0.02 * step * 1.01) == "" for step in range(5000))


def test_rows_are_counted_per_topic_and_end_with_a_good_message() -> None:
    assembly = StateAssembly(["a"], guards=profile_settings("hardware"))
    base = [0.0, 0.0, 1.0, 1.0, *[0.0] * 9]
    good, bad = np.array([0.5]), np.array([np.nan])
    rows = []
    for step, values in enumerate([bad, bad, good, bad, bad, bad]):
        assembly.take_base(_ns(0.02 * step), base, 0.02 * step)
        try:
            assembly.take_joints(_ns(0.02 * step), ["a"], values, good, 0.02 * step)
            rows.append(0)
        except StateError as problem:
            assert problem.guard == "finite"
            rows.append(problem.in_a_row)
    assert rows == [1, 2, 0, 1, 2, 3]
    with pytest.raises(StateError) as caught:
        assembly.refuse_joints("joint_states are those of another robot")
    assert caught.value.guard == "missing" and caught.value.in_a_row == 1


def test_refused_messages_leave_state_and_age_as_they_were() -> None:
    assembly = StateAssembly(["a"], guards=profile_settings("hardware"))
    base = [0.0, 0.0, 1.0, 1.0, *[0.0] * 9]
    assert assembly.waiting_for() == "joint_states and the torso's state"
    assembly.take_base(_ns(1.0), base, 1.0)
    assert assembly.waiting_for() == "joint_states"
    assembly.take_joints(_ns(1.0), ["a"], np.array([0.5]), np.array([0.1]), 1.0)
    assert assembly.waiting_for() == ""
    for stamp_s in (1.0, 0.98):
        with pytest.raises(StateError):
            assembly.take_joints(_ns(stamp_s), ["a"], np.array([0.7]), np.array([0.1]), 1.04)
    assert assembly.state().joint_positions.tolist() == [0.5]
    assert assembly.age_s(1.04) == pytest.approx(0.04) and assembly.accepted == 2
