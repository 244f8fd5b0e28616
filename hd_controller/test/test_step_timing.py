"""Histograms of durations: bins, quantiles and what counts as a period."""

import numpy as np
import pytest

from hd_controller.histogram import UPPER_BOUNDS_S, DurationHistogram
from hd_controller.step_timing import StepTiming


def test_values_fall_into_the_bin_that_ends_at_or_above_them() -> None:
    histogram = DurationHistogram()
    for value in (0.0, UPPER_BOUNDS_S[0], UPPER_BOUNDS_S[7], UPPER_BOUNDS_S[7] * 1.0001, 1.0, 1.0001, 50.0):
        histogram.add(value)
    assert [place for place, count in enumerate(histogram.counts) if count] == [0, 7, 8, 120, 121]
    assert histogram.counts[0] == 2 and histogram.counts[121] == 2
    assert histogram.total == sum(histogram.counts) == 7 and histogram.max_s == 50.0


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 1.0])
def test_quantiles_agree_with_sorting_up_to_the_width_of_a_bin(share: float) -> None:
    values = np.random.default_rng(0).lognormal(-8, 1.5, 5000)
    histogram = DurationHistogram()
    for value in values:
        histogram.add(float(value))
    exact = np.sort(values)[int(np.ceil(share * len(values))) - 1]
    assert exact <= histogram.quantile_s(share) * (1 + 1e-9)
    assert histogram.quantile_s(share) <= exact * 10 ** (1 / 20) * (1 + 1e-9)


def test_an_empty_histogram_has_zero_quantiles_and_clear_empties() -> None:
    histogram = DurationHistogram()
    assert histogram.quantile_s(0.99) == 0.0
    histogram.add(0.25)
    histogram.clear()
    assert histogram.total == sum(histogram.counts) == 0 and histogram.max_s == histogram.quantile_s(1.0) == 0.0


def test_period_error_is_the_distance_of_two_begins_from_the_period() -> None:
    timing = StepTiming(0.02, by_clock=True)
    for began_s in (1.0, 1.02, 1.043, 1.06):
        timing.step(began_s, began_s + 0.001, 0.005)
    assert timing.period_error.total == 3 and timing.period_error.max_s == pytest.approx(0.003)
    assert timing.step_time.total == 4 and timing.step_time.max_s == pytest.approx(0.001)
    assert timing.input_age.max_s == 0.005 and timing.last_step_s == pytest.approx(0.001)
    timing.clear()
    timing.step(9.0, 9.001, 0.0)
    assert timing.period_error.total == 0, "a pause between two policies is no period"
    assert set(timing.summary()) == {f"{name}_ms_p50_p99_max" for name in ("period_error", "step_time", "input_age")}


def test_a_tick_without_fresh_states_is_a_period_but_no_step() -> None:
    """Else the silence of a sender would look as if the controller had been late."""
    timing = StepTiming(0.02, by_clock=True)
    timing.step(1.0, 1.001, 0.005)
    for began_s in (1.02, 1.04, 1.06):
        timing.tick(began_s)
    timing.step(1.08, 1.081, 0.005)
    assert timing.period_error.total == 4 and timing.period_error.max_s < 1e-9
    assert timing.step_time.total == 2


def test_lockstep_has_no_period() -> None:
    timing = StepTiming(0.02, by_clock=False)
    for began_s in (1.0, 1.001, 1.002):
        timing.step(began_s, began_s + 0.0005, 0.0)
    assert timing.period_error.total == 0 and timing.step_time.total == 3
