"""Thresholds: profiles, ranges, and a page that says what every guard does."""

import re

import pytest
from bodies import REPOSITORY

from hd_controller.errors import HdError
from hd_controller.guard_counters import GUARDS, GuardCounters
from hd_controller.guard_settings import GuardSettings, meanings, profile_settings, profile_values

BENCHMARK_ON = {"state_timeout": 0.1, "effort_scale": 1.0}


def test_benchmark_has_finite_stale_and_stop_only() -> None:
    assert {name: value for name, value in profile_values("benchmark").items() if value} == BENCHMARK_ON
    assert profile_settings("benchmark") == GuardSettings()


def test_hardware_switches_every_guard_on_but_those_that_need_the_operator() -> None:
    off = {name for name, value in profile_values("hardware").items() if not value}
    assert off == {"position_margin", "e_stop_heartbeat"}


def test_thresholds_can_be_changed_one_by_one() -> None:
    assert profile_settings("hardware", max_tilt=1).max_tilt == 1
    assert profile_settings("hardware", max_tilt=1).min_height == profile_settings("hardware").min_height


WRONG = [("max_tilt", -0.1), ("max_tilt", 4.0), ("max_tilt", float("nan")), ("effort_scale", 0.0),
         ("effort_scale", 1.1), ("missing_limit", 2.5), ("missing_limit", True), ("state_timeout", 0.0),
         ("position_guard", 1), ("start_ramp", "0.5"), ("clock_jump", -1),
         ("state_timeout", float("inf")), ("state_timeout", 1e9), ("e_stop_heartbeat", 1e300),
         ("frozen_timeout", float("inf"))]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_values_without_sense_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(HdError, match=f"parameter {name} is .*expected"):
        profile_settings("benchmark", **{name: value})


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(HdError, match="careless"):
        profile_settings("careless")


def test_counters_show_every_guard_and_the_last_sentence() -> None:
    counters = GuardCounters()
    counters.trip("tilt", "one")
    counters.trip("tilt", "two")
    values = counters.values()
    assert values["guard.tilt"] == 2 and values["guard.tilt.last"] == "two"
    assert {f"guard.{guard}" for guard in GUARDS} <= set(values) and "guard.stale.last" not in values


def test_the_page_on_safety_has_a_line_for_every_guard_with_the_defaults_in_force() -> None:
    page = (REPOSITORY / "docs" / "safety.md").read_text()
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", page, re.MULTILINE)}
    assert set(GUARDS) <= set(rows)
    for name in meanings():
        low, high = (f"{values[name]:g}" if not isinstance(values[name], bool) else str(values[name]).lower()
                     for values in (profile_values("benchmark"), profile_values("hardware")))
        assert f"`{name}` {low} / {high}" in page, f"{name}: {low} / {high}"
