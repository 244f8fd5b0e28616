"""The ROS-free parts that the nodes are made of: names, states, logs, background work, guards, answers."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from hd_controller.background import LatestWorker
from hd_controller.controller import Controller, ControllerSettings
from hd_controller.controller_modes import Mode
from hd_controller.errors import HdError
from hd_controller.joint_map import JointMap, NotFiniteError, StateError
from hd_controller.kinematics import RobotState
from hd_controller.shipped_files import generator_folder, robot_file
from hd_controller.state_assembly import StateAssembly
from hd_controller.throttled_log import MAX_KEYS, ThrottledLog


def test_joints_are_mapped_by_name() -> None:
    mapping = JointMap(["a", "b", "c"])
    values = np.array([30.0, 10.0, 20.0])
    assert values[mapping.order(["c", "a", "b"])].tolist() == [10.0, 20.0, 30.0]
    assert values[mapping.order(["a", "b", "c"])].tolist() == [30.0, 10.0, 20.0]


WRONG_NAMES = [(["a", "b"], "missing c"), (["a", "b", "c", "d"], "unknown d"), (["a", "b", "c", "c"], "twice"),
               (["x", "b", "c"], "missing a"), ([], "missing")]


@pytest.mark.parametrize(("names", "word"), WRONG_NAMES)
def test_wrong_joint_names_are_refused_and_right_ones_work_after(names: list[str], word: str) -> None:
    mapping = JointMap(["a", "b", "c"])
    with pytest.raises(StateError, match=word):
        mapping.order(names)
    assert mapping.order(["c", "b", "a"]).tolist() == [2, 1, 0]


def _base(**changes: float) -> list[float]:
    base = [0.1, 0.2, 0.3, 1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    for place, value in changes.items():
        base[int(place[1:])] = value
    return base


def test_state_is_complete_when_stamps_match() -> None:
    assembly = StateAssembly(["a", "b"])
    assembly.take_joints(5, ["b", "a"], np.array([1.0, 2.0]), np.array([3.0, 4.0]), 10.0)
    assert not assembly.matched() and assembly.age_s(10.0) == float("inf")
    assembly.take_base(4, _base(), 10.5)
    assert not assembly.matched()
    assembly.take_base(5, _base(), 10.5)
    state = assembly.state()
    assert assembly.matched() and state.stamp_ns == 5
    assert state.joint_positions.tolist() == [2.0, 1.0] and state.joint_velocities.tolist() == [4.0, 3.0]
    assert state.linear_velocity.tolist() == [1.0, 2.0, 3.0] and state.angular_velocity.tolist() == [4.0, 5.0, 6.0]
    assert assembly.age_s(11.0) == 1.0


def test_refused_parts_leave_the_state_as_it_was() -> None:
    assembly = StateAssembly(["a", "b"])
    good = np.array([1.0, 2.0])
    assembly.take_joints(5, ["a", "b"], good, good, 0.0)
    assembly.take_base(5, _base(), 0.0)
    for bad in (np.array([np.nan, 0.0]), np.array([0.0, np.inf])):
        with pytest.raises(NotFiniteError):
            assembly.take_joints(6, ["a", "b"], bad, good, 1.0)
        with pytest.raises(NotFiniteError):
            assembly.take_joints(6, ["a", "b"], good, bad, 1.0)
    for huge in (2e4, -2e4, 1e300):
        with pytest.raises(NotFiniteError, match="positions beyond 10000"):
            assembly.take_joints(6, ["a", "b"], np.array([0.0, huge]), good, 1.0)
        with pytest.raises(NotFiniteError, match="velocities beyond 10000"):
            assembly.take_joints(6, ["a", "b"], good, np.array([huge, 0.0]), 1.0)
    with pytest.raises(NotFiniteError, match="odom has values beyond"):
        assembly.take_base(6, _base(_7=-1e300), 1.0)
    with pytest.raises(StateError, match="0 velocities for 2 names"):
        assembly.take_joints(6, ["a", "b"], good, np.zeros(0), 1.0)
    with pytest.raises(NotFiniteError):
        assembly.take_base(6, _base(_0=np.nan), 1.0)
    with pytest.raises(StateError, match="length"):
        assembly.take_base(6, _base(_3=0.0), 1.0)
    assert assembly.state().stamp_ns == 5 and assembly.state().joint_positions.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("force", [(0.0, 0.0, np.nan), (0.0, -np.inf, 0.0), (2e3, 0.0, 0.0)])
def test_an_absurd_acceleration_refuses_the_imu_and_its_topic_is_named(force: tuple[float, ...]) -> None:
    """An estimate of velocity would keep it for seconds."""
    assembly = StateAssembly(["a"])
    level, still = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    assembly.take_imu(5, level, still, 0.0, (0.0, 0.0, 9.81))
    with pytest.raises(NotFiniteError, match="imu has values"):
        assembly.take_imu(6, level, still, 1.0, force)
    with pytest.raises(StateError, match="imu has an orientation"):
        assembly.take_imu(7, (0.0, 0.0, 0.0, 0.0), still, 2.0)


def test_log_repeats_itself_only_after_a_pause_and_counts() -> None:
    lines: list[str] = []
    time_s = [0.0]
    log = ThrottledLog(lines.append, period_s=5.0, clock=lambda: time_s[0])
    assert [log("x", "trouble") for _ in range(4)] == [True, False, False, False]
    assert log("y", "other")
    time_s[0] = 6.0
    assert log("x", "trouble")
    assert lines == ["trouble", "other", "trouble (3 more like it since the last line)"]


def test_log_is_bounded_when_every_sentence_is_new() -> None:
    lines: list[str] = []
    log = ThrottledLog(lines.append, clock=lambda: 0.0)
    for number in range(10_000):
        log(str(number), "trouble")
    assert len(lines) <= MAX_KEYS + 1


def test_only_the_newest_item_counts() -> None:
    gate, outcomes, finished = threading.Event(), [], threading.Event()

    def work(item: int) -> int:
        gate.wait(5)
        if item == 3:
            raise ValueError("bad item")
        return item * 10

    def done(item: int, result: int | None, error: Exception | None) -> None:
        outcomes.append((item, result, str(error or "")))
        finished.set()

    worker = LatestWorker(work, done, lambda function: function())
    for item in (1, 2, 4):
        worker.submit(item)
    gate.set()
    assert finished.wait(5) and outcomes[-1] == (4, 40, "")
    assert (2, 20, "") not in outcomes
    finished.clear()
    worker.submit(3)
    assert finished.wait(5) and outcomes[-1] == (3, None, "bad item")
    worker.close()


class _Loop:
    """Stands in for a control loop: gives the number of its steps since the reset as effort."""

    def __init__(self) -> None:
        self.resets = self.count = 0

    def reset(self, state: RobotState) -> None:
        self.resets += 1
        self.count = 0

    def step(self, state: RobotState) -> np.ndarray:
        self.count += 1
        return np.array([float(self.count) if state.joint_positions[0] < 9 else np.nan])


def _controller(**settings: object) -> tuple[Controller, _Loop]:
    controller = Controller(ControllerSettings(**settings))
    loop = _Loop()
    body = SimpleNamespace(joint_ranges=np.array([[-1.0, 1.0]]), velocity_limits=np.array([5.0]), joint_names=("a",),
                           standing_height=1.0)
    bundle = SimpleNamespace(description_sha256="a", effort_limits=np.array([3.0]), morphology=body)
    controller.modes.description("a")
    assert controller.bind(SimpleNamespace(bundle=bundle, loop=loop))
    return controller, loop


def _state(stamp_ms: int, position: float = 0.0, velocity: float = 0.5) -> RobotState:
    zero = np.zeros(3)
    return RobotState(stamp_ms * 1_000_000, zero, np.array([1.0, 0, 0, 0]), zero, zero, np.array([position]),
                      np.array([velocity]))


def test_one_answer_per_stamp_and_the_same_one_again() -> None:
    controller, loop = _controller()
    assert controller.answer(_state(20)).tolist() == [1.0]
    assert controller.answer(_state(20)).tolist() == [1.0]
    assert controller.answer(_state(40)).tolist() == [2.0]
    assert controller.answer(_state(20)) is None
    assert controller.steps == loop.count == 2 and loop.resets == 1


def test_missed_steps_are_counted_and_a_clock_that_starts_again_starts_the_policy_afresh() -> None:
    controller, loop = _controller()
    controller.answer(_state(2000))
    controller.answer(_state(2080))
    assert controller.missed_steps == 3
    controller.answer(_state(20))
    assert loop.resets == 2 and controller.missed_steps == 3


def test_damping_in_standby_is_clipped() -> None:
    controller, loop = _controller(rearm_on_swap="manual", damping_gain=2.0)
    assert controller.answer(_state(20)).tolist() == [-1.0]
    assert controller.answer(_state(40, velocity=-50.0)).tolist() == [3.0]
    assert loop.count == 0


def test_efforts_that_are_not_finite_end_in_fault_and_damping() -> None:
    controller, _ = _controller()
    controller.answer(_state(20))
    assert controller.answer(_state(40, position=9.5)).tolist() == [-0.5]
    assert controller.modes.mode is Mode.FAULT
    assert controller.answer(_state(60)).tolist() == [-0.5]


def test_a_stop_between_two_showings_of_a_state_is_obeyed() -> None:
    controller, _ = _controller()
    assert controller.answer(_state(20)).tolist() == [1.0]
    controller.modes.e_stop("test")
    assert controller.answer(_state(20)).tolist() == [-0.5]


def test_files_that_are_not_there_are_named() -> None:
    with pytest.raises(HdError, match="no_such_robot"):
        robot_file("no_such_robot")
    with pytest.raises(HdError, match="no_such_generator"):
        generator_folder("no_such_generator")
    with pytest.raises(HdError, match="neither"):
        robot_file("")
