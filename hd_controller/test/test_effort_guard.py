"""Limits of efforts: every branch against numbers worked by hand, and what must hold for any input."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hd_controller.effort_guard import EffortGuard, limit_at_bounds, limit_at_speed, limit_rate
from hd_controller.guard_counters import GuardCounters
from hd_controller.guard_settings import GuardSettings, profile_settings

RANGES = np.tile([-1.0, 1.0], (6, 1))


def test_no_effort_pushes_outward_at_a_bound() -> None:
    efforts = np.array([50.0, -50.0, 50.0, -50.0, 50.0, -50.0])
    limit_at_bounds(efforts, np.array([1.0, -1.0, -1.0, 1.0, 1.3, 0.99]), RANGES, 0.0)
    assert efforts.tolist() == [0.0, 0.0, 50.0, -50.0, 0.0, -50.0]


def test_outward_effort_fades_over_the_margin() -> None:
    efforts = np.array([50.0, -50.0, 50.0, 50.0, -50.0, 50.0])
    limit_at_bounds(efforts, np.array([0.9, -0.95, 0.5, 1.0, 0.95, 1.1]), RANGES, 0.2)
    assert efforts == pytest.approx([25.0, -12.5, 50.0, 0.0, -50.0, 0.0])


def test_no_effort_accelerates_above_the_velocity_limit() -> None:
    efforts = np.array([50.0, -50.0, 50.0, -50.0, 50.0, -50.0])
    limit_at_speed(efforts, np.array([9.0, -9.0, -9.0, 9.5, 8.9, 0.0]), np.full(6, 9.0))
    assert efforts.tolist() == [0.0, 0.0, 50.0, -50.0, 50.0, -50.0]


def test_a_position_or_velocity_that_is_no_number_gives_no_effort_outward() -> None:
    efforts = np.array([5.0, -5.0])
    limit_at_bounds(efforts, np.array([np.nan, np.nan]), RANGES[:2], 0.0)
    assert efforts.tolist() == [0.0, 0.0]


def test_efforts_change_by_the_largest_change_at_most() -> None:
    efforts = np.array([50.0, -50.0, 3.0])
    limit_rate(efforts, np.array([0.0, 40.0, 0.0]), np.array([20.0, 20.0, 20.0]))
    assert efforts.tolist() == [20.0, 20.0, 3.0]


def _guard(settings: GuardSettings) -> tuple[EffortGuard, GuardCounters]:
    counters = GuardCounters()
    body = SimpleNamespace(joint_names=("hip", "knee"), joint_ranges=RANGES[:2], velocity_limits=np.array([5.0, 5.0]))
    return EffortGuard(settings, body, np.array([100.0, 10.0]), 0.02, counters), counters


def _limited(guard: EffortGuard, efforts: list[float], positions: tuple = (0.0, 0.0),
             velocities: tuple = (0.0, 0.0)) -> list[float]:
    values = np.array(efforts)
    guard.limit(values, np.zeros(2), np.array(positions), np.array(velocities))
    return values.tolist()


def test_the_benchmark_profile_changes_nothing_within_the_limits() -> None:
    guard, counters = _guard(profile_settings("benchmark"))
    guard.begin()
    assert _limited(guard, [100.0, -10.0], (1.5, -1.5), (9.0, -9.0)) == [100.0, -10.0]
    assert sum(counters.counts.values()) == 0


def test_effort_scale_caps_and_counts() -> None:
    guard, counters = _guard(GuardSettings(effort_scale=0.3))
    assert _limited(guard, [100.0, -2.0]) == [30.0, -2.0]
    assert counters.counts["effort"] == 1 and "hip" in counters.sentences["effort"]


def test_rate_counts_from_what_was_sent() -> None:
    guard, counters = _guard(GuardSettings(effort_rate_limit=10.0))
    assert [_limited(guard, [100.0, 1.0]) for _ in range(2)] == [[20.0, 1.0], [40.0, 1.0]]
    guard.sent(np.array([-100.0, 0.0]))
    assert _limited(guard, [100.0, 1.0]) == [-80.0, 1.0]
    assert counters.counts["effort_rate"] == 3


def test_ramp_goes_from_damping_to_the_policy() -> None:
    guard, counters = _guard(GuardSettings(start_ramp=0.08))
    guard.begin()
    values = []
    for _ in range(5):
        efforts = np.array([100.0, 10.0])
        guard.limit(efforts, np.array([-20.0, 0.0]), np.zeros(2), np.zeros(2))
        values.append(efforts.tolist())
    assert values == [pytest.approx(v) for v in ([10, 2.5], [40, 5], [70, 7.5], [100, 10], [100, 10])]
    assert counters.counts["start_ramp"] == 1


def test_bound_and_speed_guards_are_counted() -> None:
    guard, counters = _guard(GuardSettings(position_guard=True, velocity_scale=0.5))
    assert _limited(guard, [50.0, -5.0], (1.0, 0.0), (0.0, -3.0)) == [0.0, 0.0]
    assert counters.counts["position_bound"] == counters.counts["velocity_limit"] == 1
    assert "hip" in counters.sentences["position_bound"] and "knee" in counters.sentences["velocity_limit"]


NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=4, max_size=20))
def test_whatever_comes_the_limits_hold(steps: list[tuple[float, float, float]]) -> None:
    """Efforts stay within the scaled limit, never push outward at a bound nor accelerate a joint that is too fast."""
    guard, _ = _guard(profile_settings("hardware", effort_scale=0.5, position_margin=0.1))
    guard.begin()
    for effort, position, velocity in steps:
        values = np.array([effort, -effort])
        guard.limit(values, np.array([-velocity, velocity]), np.array([position, -position]),
                    np.array([velocity, -velocity]))
        assert (np.abs(values) <= [50.0, 5.0]).all()
        if abs(position) >= 1.0:
            assert not (values * [position, -position] > 0).any()
        if abs(velocity) >= 5.0:
            assert not (values * [velocity, -velocity] > 0).any()
