"""The controller's modes: arming, swap, fault, emergency stop."""

import random

import pytest

from hd_controller.controller_modes import ControllerModes, Mode


def bound(rearm: str = "auto") -> ControllerModes:
    """Modes with a policy for the description at hand."""
    modes = ControllerModes(rearm)
    assert modes.description("a")
    assert modes.bind("a")
    return modes


def test_auto_runs_with_the_first_state_and_starts_afresh_once() -> None:
    modes = bound()
    assert modes.mode is Mode.STANDBY
    assert modes.state_arrived() is True
    assert modes.mode is Mode.RUN
    assert modes.state_arrived() is False


def test_manual_waits_for_enable_at_start_after_a_swap_and_after_a_fault() -> None:
    modes = bound("manual")
    modes.state_arrived()
    assert modes.mode is Mode.STANDBY
    assert modes.enable(True)[0]
    assert modes.state_arrived() and modes.mode is Mode.RUN
    modes.description("b")
    modes.bind("b")
    modes.state_arrived()
    assert modes.mode is Mode.STANDBY
    modes.enable(True)
    modes.state_arrived()
    modes.fault("stale", clears_itself=True)
    modes.state_arrived()
    assert modes.mode is Mode.FAULT
    assert modes.enable(True)[0]
    assert modes.state_arrived() and modes.mode is Mode.RUN


def test_another_policy_for_the_same_robot_needs_enable_again_with_manual() -> None:
    modes = bound("manual")
    modes.enable(True)
    modes.state_arrived()
    assert modes.mode is Mode.RUN
    assert modes.bind("a")
    assert modes.mode is Mode.STANDBY and modes.message == "policy ready; call ~/enable to run"
    assert not modes.state_arrived() and modes.mode is Mode.STANDBY
    modes = bound("auto")
    modes.state_arrived()
    assert modes.bind("a") and modes.mode is Mode.RUN and modes.state_arrived()


def test_swap_waits_for_the_policy_of_the_newest_description() -> None:
    modes = bound()
    modes.state_arrived()
    assert modes.description("b")
    modes.state_arrived()
    assert modes.mode is Mode.STANDBY and not modes.bound
    assert not modes.bind("a")
    assert modes.bind("b")
    assert modes.state_arrived() is True and modes.mode is Mode.RUN


def test_same_description_again_changes_nothing() -> None:
    modes = bound()
    modes.state_arrived()
    assert not modes.description("a")
    assert modes.mode is Mode.RUN


def test_fault_that_clears_itself_resumes_without_starting_afresh() -> None:
    modes = bound()
    modes.state_arrived()
    modes.fault("stale", clears_itself=True)
    assert modes.mode is Mode.FAULT
    assert modes.state_arrived() is False
    assert modes.mode is Mode.RUN


def test_other_fault_needs_enable_or_a_new_description() -> None:
    modes = bound()
    modes.state_arrived()
    modes.fault("not finite")
    modes.state_arrived()
    assert modes.mode is Mode.FAULT
    modes.description("b")
    modes.bind("b")
    assert modes.state_arrived() and modes.mode is Mode.RUN


def test_emergency_stop_is_latched_and_reset_does_not_enable() -> None:
    modes = bound()
    modes.state_arrived()
    assert modes.e_stop("topic") and not modes.e_stop("topic")
    modes.description("b")
    modes.bind("b")
    modes.state_arrived()
    assert modes.mode is Mode.FAULT
    success, sentence = modes.enable(True)
    assert not success and "e_stop_reset" in sentence
    assert "stays latched" in modes.enable(False)[1] and modes.mode is Mode.FAULT
    assert modes.e_stop_reset()[0]
    modes.state_arrived()
    assert modes.mode is Mode.STANDBY
    modes.description("c")
    modes.bind("c")
    modes.state_arrived()
    assert modes.mode is Mode.STANDBY, "a swap after a stop must not run by itself"
    assert modes.enable(True)[0]
    modes.state_arrived()
    assert modes.mode is Mode.RUN


def test_what_is_missing_is_said_again_when_active_again() -> None:
    modes = ControllerModes("manual")
    modes.leave_active()
    modes.enter_active()
    assert modes.message == "waiting for a robot description"
    modes = bound("manual")
    modes.leave_active()
    assert modes.message == "not active"
    modes.enter_active()
    assert modes.message == "policy ready; call ~/enable to run"
    modes.leave_active()
    modes.description("b")
    modes.enter_active()
    assert modes.message == "new robot description; waiting for its policy"


def test_a_refusal_stands_until_a_policy_or_another_description_comes() -> None:
    modes = ControllerModes()
    modes.description("a")
    modes.refuse("outside")
    assert modes.policy_refused and modes.message == "outside"
    modes.bind("a")
    assert not modes.policy_refused
    modes.refuse("a second policy is bad")
    assert not modes.policy_refused and "second" not in modes.message, "the bound policy goes on"
    modes.description("b")
    modes.refuse("outside")
    modes.description("c")
    assert not modes.policy_refused


def test_enable_without_a_policy_is_refused() -> None:
    modes = ControllerModes("auto")
    assert not modes.enable(True)[0]
    assert modes.enable(False)[0]


def test_unknown_rearm_is_refused() -> None:
    with pytest.raises(ValueError, match="sometimes"):
        ControllerModes("sometimes")


@pytest.mark.parametrize("rearm", ["auto", "manual"])
def test_random_events_never_run_when_they_must_not(rearm: str) -> None:
    """In 20 000 random events, run never occurs while stopped, unbound or (manual) not enabled since the last swap."""
    choice = random.Random(3)
    modes = ControllerModes(rearm)
    enabled = rearm == "auto"
    for _ in range(20_000):
        event = choice.choice(["description", "bind", "state", "state", "state", "fault", "enable", "disable", "stop",
                               "reset", "leave"])
        if event == "description":
            new = modes.description(choice.choice("abc"))
            enabled = enabled and not (new and rearm == "manual")
        elif event == "bind":
            modes.bind(choice.choice("abc"))
        elif event == "state":
            modes.state_arrived()
        elif event == "fault":
            modes.fault("trouble", choice.random() < 0.5)
        elif event == "enable":
            enabled = modes.enable(True)[0] or enabled
        elif event == "disable":
            modes.enable(False)
            enabled = False
        elif event == "stop":
            modes.e_stop("test")
            enabled = False
        elif event == "reset":
            modes.e_stop_reset()
        else:
            modes.leave_active()
        if modes.mode is Mode.RUN:
            assert enabled and modes.bound and not modes.e_stop_latched
