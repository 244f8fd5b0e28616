"""Guards inside the controller: what trips, what happens to efforts and mode, what is counted, how it goes on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hd_controller.controller import Controller, ControllerSettings
from hd_controller.controller_modes import Mode
from hd_controller.guard_settings import GuardSettings, profile_settings
from hd_controller.joint_map import StateError
from hd_controller.kinematics import RobotState
from hd_controller.posture_guard import PostureGuard, tilt_rad


class _Loop:
    """Stands in for a control loop: always two of three N m; NaN for a joint beyond 9 rad."""

    def reset(self, state: RobotState) -> None:
        """Nothing to latch."""

    def step(self, state: RobotState) -> np.ndarray:
        """(1,) effort."""
        return np.array([2.0 if state.joint_positions[0] < 9 else np.nan])


class Bench:
    """A controller with a one-joint robot 1 m high, and its clock."""

    def __init__(self, guards: GuardSettings, rearm: str = "auto") -> None:
        self.controller = Controller(ControllerSettings(rearm_on_swap=rearm, guards=guards))
        body = SimpleNamespace(joint_ranges=np.array([[-1.0, 1.0]]), velocity_limits=np.array([5.0]),
                               joint_names=("a",), standing_height=1.0)
        bundle = SimpleNamespace(description_sha256="a", effort_limits=np.array([3.0]), morphology=body)
        self.controller.modes.description("a")
        assembly = SimpleNamespace(waiting_for=lambda: "", age_s=lambda now_s: now_s - self.arrived_s)
        assert self.controller.bind(SimpleNamespace(bundle=bundle, loop=_Loop(), assembly=assembly))
        self._steps = 0
        self.arrived_s = 0.0

    def step(self, *, position: float = 0.0, velocity: float = 0.5, tilt: float = 0.0, height: float = 1.0,
             moves: bool = True) -> float:
        """Effort for the next state."""
        self._steps += 1
        wobble = 1e-6 * self._steps if moves else 0.0
        orientation = np.array([np.cos(tilt / 2), np.sin(tilt / 2), 0.0, 0.0])
        state = RobotState(self._steps * 20_000_000, np.array([0, 0, height]), orientation, np.zeros(3),
                           np.full(3, wobble), np.array([position + wobble]), np.array([velocity]))
        return float(self.controller.answer(state)[0])

    @property
    def mode(self) -> Mode:
        return self.controller.modes.mode

    def count(self, guard: str) -> int:
        """How often a guard has tripped."""
        return self.controller.counters.counts[guard]


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.5, 3.0])
def test_tilt_is_the_angle_to_the_vertical_whatever_the_heading(angle: float) -> None:
    for heading in (0.0, 1.0, 2.5):
        c, s = np.cos(heading / 2), np.sin(heading / 2)
        turned = np.array([c * np.cos(angle / 2), c * np.sin(angle / 2), s * np.sin(angle / 2), s * np.cos(angle / 2)])
        assert tilt_rad(3.0 * turned) == pytest.approx(angle, abs=1e-6)


def test_tilt_ends_run_with_damping_until_enabled() -> None:
    bench = Bench(GuardSettings(max_tilt=1.0))
    assert bench.step(tilt=0.9) == 2.0
    assert bench.step(tilt=-1.1) == -0.5
    assert bench.mode is Mode.FAULT and bench.count("tilt") == 1 and "1.10 rad" in bench.controller.modes.message
    assert bench.step(tilt=0.0) == -0.5
    assert bench.controller.enable(True, 0.0)[0]
    assert bench.step(tilt=0.0) == 2.0


def test_a_torso_orientation_that_is_no_number_counts_as_tilt() -> None:
    bench = Bench(GuardSettings(max_tilt=1.0))
    bench.step(tilt=float("nan"))
    assert bench.mode is Mode.FAULT and bench.count("tilt") == 1


def test_height_ends_run() -> None:
    bench = Bench(GuardSettings(min_height=0.5))
    assert bench.step(height=0.51) == 2.0
    assert bench.step(height=0.5) == -0.5
    assert bench.mode is Mode.FAULT and bench.count("base_height") == 1


def test_frozen_sensors_end_run_and_moving_ones_do_not() -> None:
    bench = Bench(GuardSettings(frozen_timeout=0.1))
    for _ in range(20):
        assert bench.step() == 2.0
    efforts = [bench.step(moves=False) for _ in range(8)]
    assert efforts == [2.0] * 5 + [-0.5] * 3
    assert bench.mode is Mode.FAULT and bench.count("frozen") == 1


def test_frozen_sensors_count_in_the_time_of_their_stamps() -> None:
    """Two of three states are left out: 0.1 s is over with the second of those that are seen afterwards."""
    guard = PostureGuard(GuardSettings(frozen_timeout=0.1), 1.0)
    state = RobotState(0, np.zeros(3), np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(2))
    seen = [guard.problem(replace(state, stamp_ns=number * 60_000_000)) for number in range(3)]
    assert seen[:2] == [None, None] and seen[2] is not None and seen[2][0] == "frozen"


def test_without_thresholds_nothing_trips() -> None:
    bench = Bench(profile_settings("benchmark"))
    for _ in range(30):
        assert bench.step(position=1.5, velocity=9.0, tilt=3.0, height=0.0, moves=False) == 2.0
    assert sum(bench.controller.counters.counts.values()) == 0


def test_hardware_profile_starts_with_a_ramp_and_guards_bounds_and_speed() -> None:
    bench = Bench(profile_settings("hardware", start_ramp=0.04))
    assert bench.step(velocity=0.0) == pytest.approx(1.0)
    assert bench.step() == 2.0
    assert bench.step(position=1.0) == 0.0 and bench.count("position_bound") == 1
    assert bench.step(velocity=5.0) == 0.0 and bench.count("velocity_limit") == 1


def test_policy_efforts_that_are_not_finite_are_counted() -> None:
    bench = Bench(GuardSettings())
    assert bench.step(position=9.5) == -0.5
    assert bench.mode is Mode.FAULT and bench.count("finite") == 1


def _refuse(bench: Bench, guard: str, rows: int) -> list[bool]:
    results = []
    for row in range(1, rows + 1):
        problem = StateError(f"trouble with {guard}", guard)
        problem.in_a_row = row
        results.append(bench.controller.refuse(problem))
    return results


@pytest.mark.parametrize(("guard", "threshold"), [("missing", "missing_limit"), ("out_of_order", "out_of_order_limit"),
                                                  ("duplicated", "duplicated_limit")])
def test_refused_states_in_a_row_end_run_until_a_good_one(guard: str, threshold: str) -> None:
    bench = Bench(GuardSettings(**{threshold: 3}))
    bench.step()
    assert _refuse(bench, guard, 2) == [False, False] and bench.mode is Mode.RUN
    assert _refuse(bench, guard, 3) == [False, False, True]
    assert bench.mode is Mode.FAULT and bench.count(guard) == 5 and "3 in a row" in bench.controller.modes.message
    assert bench.step() == 2.0 and bench.mode is Mode.RUN


def test_states_that_are_not_finite_zero_the_efforts_at_once_and_end_run_in_a_row() -> None:
    bench = Bench(GuardSettings(not_finite_limit=2), "manual")
    bench.controller.enable(True, 0.0)
    bench.step()
    assert _refuse(bench, "finite", 1) == [True] and bench.mode is Mode.RUN
    assert _refuse(bench, "finite", 2) == [True, True] and bench.mode is Mode.FAULT
    assert bench.step() == -0.5, "manual: an operator enables again"
    assert bench.controller.enable(True, 0.0)[0] and bench.step() == 2.0


def test_a_clock_jump_ends_run_and_older_stamps_are_answered_afterwards() -> None:
    bench = Bench(profile_settings("hardware"))
    for _ in range(20):
        bench.step()
    assert _refuse(bench, "clock_jump", 1) == [True] and bench.mode is Mode.FAULT
    bench._steps = 0
    bench.step()
    assert bench.mode is Mode.RUN


def test_late_states_are_only_counted() -> None:
    bench = Bench(profile_settings("hardware"))
    bench.step()
    assert _refuse(bench, "delay", 9) == [False] * 9 and bench.mode is Mode.RUN and bench.count("delay") == 9


def test_stale_states_end_run_and_the_next_one_goes_on() -> None:
    bench = Bench(GuardSettings())
    bench.step()
    bench.controller.stale()
    assert bench.mode is Mode.FAULT and bench.count("stale") == 1
    bench.controller.stale()
    assert bench.count("stale") == 1
    assert bench.step() == 2.0


def test_an_old_state_ends_no_fault() -> None:
    bench = Bench(GuardSettings())
    bench.step()
    bench.controller.stale()
    state = RobotState(10**9, np.zeros(3), np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3), np.zeros(1), np.ones(1))
    assert bench.controller.answer(state, arrived=False).tolist() == [-1.0] and bench.mode is Mode.FAULT


def test_emergency_stop_is_counted_once() -> None:
    bench = Bench(GuardSettings())
    bench.step()
    assert bench.controller.e_stop("test") and not bench.controller.e_stop("test")
    assert bench.count("e_stop") == 1 and bench.step() == -0.5


def test_enable_names_what_has_not_arrived() -> None:
    bench = Bench(GuardSettings(), "manual")
    bench.controller.policy.assembly.waiting_for = lambda: "joint_states"
    success, sentence = bench.controller.enable(True, 0.0)
    assert not success and "joint_states" in sentence


def test_enable_by_hand_is_refused_while_states_are_stale() -> None:
    """A robot that starts whenever a cable is plugged in again hits who plugs it in."""
    bench = Bench(GuardSettings(), "manual")
    success, sentence = bench.controller.enable(True, 5.0)
    assert not success and "5.00 s old, 0.1 s are allowed" in sentence
    assert bench.step() == -0.5 and bench.mode is Mode.STANDBY
    bench.arrived_s = 4.95
    assert bench.controller.enable(True, 5.0)[0] and bench.step() == 2.0


def test_what_was_enabled_and_did_not_start_in_time_must_be_enabled_again() -> None:
    bench = Bench(GuardSettings(), "manual")
    assert bench.controller.enable(True, 0.0)[0]
    bench.controller.stale()
    assert bench.mode is Mode.FAULT and bench.count("stale") == 1
    assert bench.step() == -0.5 and bench.mode is Mode.FAULT


def test_with_auto_enable_is_not_refused_for_old_states_and_waiting_is_no_fault() -> None:
    """A simulation may be paused."""
    bench = Bench(GuardSettings())
    assert bench.controller.enable(True, 5.0)[0]
    bench.controller.stale()
    assert bench.mode is Mode.STANDBY and bench.step() == 2.0
