"""A simulated robot that is steered: seeded resets, poses, pushes, saved states, contacts, single steps."""

import mujoco
import numpy as np
import pytest

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_sim_bridge.contact_forces import GROUND, ContactForces
from hd_sim_bridge.imperfections import Imperfections, SensorErrors
from hd_sim_bridge.simulated_robot import MOST_SAVED, MOST_WEIGHTS, SimulatedRobot
from hd_sim_bridge.simulation import STEP_NS, Simulation, SpawnPose
from hd_sim_bridge.time_gate import TimeGate

ROUGH = Imperfections(noise=SensorErrors(0.01, 0.1, 0.01, 0.05, 0.3, 0.01, 0.05), bias=SensorErrors(position=0.1),
                      sensor_delay_s=0.04, sensor_drop=0.2, actuator_delay_s=0.03, effort_noise=0.05,
                      friction_spread=0.3, mass_spread=0.2)


def _run(robot: SimulatedRobot, steps: int) -> list[list[float]]:
    """Configuration and reading of each step on efforts that depend on the reading, as a controller's do."""
    rows, efforts = [], np.zeros(3)
    for _ in range(steps):
        reading = robot.read_sensors()
        if reading is not None and reading.joints:
            efforts = -60.0 * reading.state.joint_positions + 20.0
        robot.advance(efforts)
        shown = [] if reading is None else [*reading.state.position, *reading.specific_force, reading.complete]
        rows.append([*robot.simulation.data.qpos, *shown])
    return rows


def test_without_imperfections_it_is_the_simulation_bit_by_bit(body: Morphology) -> None:
    robot, plain = SimulatedRobot(body, 3), Simulation(body, 3)
    for step in range(200):
        efforts = 50.0 * np.sin([0.1 * step, 0.2 * step, 0.3 * step])
        assert robot.advance(efforts) and plain.step(efforts)
    assert np.array_equal(robot.simulation.data.qpos, plain.data.qpos)
    assert np.array_equal(robot.read_sensors().state.joint_velocities, plain.state().joint_velocities)


@pytest.mark.parametrize("imperfections", [Imperfections(), ROUGH], ids=["perfect", "rough"])
def test_a_seeded_reset_is_a_new_robot_of_this_seed(body: Morphology, imperfections: Imperfections) -> None:
    robot = SimulatedRobot(body, 1, imperfections)
    first = _run(robot, 100)
    robot.reset()
    assert _run(robot, 100) != first, "without a seed, chance goes on"
    robot.reset(seed=1)
    assert _run(robot, 100) == first
    robot.reset(seed=2)
    assert _run(robot, 100) == _run(SimulatedRobot(body, 2, imperfections), 100)


@pytest.mark.parametrize("imperfections", [Imperfections(), ROUGH], ids=["perfect", "rough"])
def test_a_restored_state_goes_on_bit_by_bit_while_time_goes_on(body: Morphology, imperfections: Imperfections) -> None:
    robot = SimulatedRobot(body, 1, imperfections)
    _run(robot, 60)
    robot.push("front", np.array([30.0, 0.0, 0.0]), np.zeros(3), 0.2)
    _run(robot, 3)
    robot.save("here")
    expected = _run(robot, 100)
    robot.reset()
    _run(robot, 30)
    before_ns = robot.simulation.time_ns
    robot.restore("here")
    assert robot.simulation.time_ns == before_ns + STEP_NS
    reading = robot.read_sensors()
    assert robot.read_sensors() is reading and before_ns - STEP_NS <= reading.state.stamp_ns <= before_ns + STEP_NS
    robot.restore("here")
    assert _run(robot, 100) == expected
    with pytest.raises(HdError, match=r"no saved state 'there'.*'here'"):
        robot.restore("there")


def test_saved_states_are_limited(body: Morphology) -> None:
    robot = SimulatedRobot(body)
    for number in range(MOST_SAVED):
        robot.save(str(number))
    robot.save("0")
    with pytest.raises(HdError, match="most"):
        robot.save("one more")


@pytest.mark.parametrize("name", ["x" * 101, "line\nend", "\x1b[31m"])
def test_a_name_of_a_state_that_cannot_be_shown_is_refused(body: Morphology, name: str) -> None:
    with pytest.raises(HdError, match="printable"):
        SimulatedRobot(body).save(name)


def test_reset_with_a_pose(body: Morphology) -> None:
    robot = SimulatedRobot(body)
    turned = np.array([0.0, 0.0, 0.0, 2.0])
    robot.reset(pose=SpawnPose(np.array([3.0, -2.0, 1.5]), turned, np.array([0.1, 0.2, 0.3])))
    np.testing.assert_array_equal(robot.simulation.data.qpos, [3.0, -2.0, 1.5, 0.0, 0.0, 0.0, 1.0, 0.1, 0.2, 0.3])
    assert 0 < np.abs(robot.simulation.data.qvel).max() < 0.01
    for pose in (SpawnPose(np.zeros(3), np.zeros(4)), SpawnPose(np.full(3, np.nan), turned),
                 SpawnPose(np.zeros(3), turned, np.full(3, np.inf)), SpawnPose(np.full(3, 1e300), turned),
                 SpawnPose(np.zeros(3), turned, np.full(3, -1e300))):
        with pytest.raises(HdError, match="pose"):
            robot.reset(pose=pose)


def test_a_push_gives_its_momentum_to_the_robot_in_the_air(body: Morphology) -> None:
    """Worked by hand: force times duration is the momentum of the whole body, 16 kg."""
    robot, plain = SimulatedRobot(body, 1), SimulatedRobot(body, 1)
    high = SpawnPose(np.array([0.0, 0.0, 50.0]), np.array([1.0, 0.0, 0.0, 0.0]))
    for each in (robot, plain):
        each.reset(seed=1, pose=high)
    robot.push("", np.array([80.0, -40.0, 0.0]), np.zeros(3), 0.1)
    for _ in range(10):
        robot.advance(np.zeros(3))
        plain.advance(np.zeros(3))
    momentum = []
    for each in (robot, plain):
        mujoco.mj_subtreeVel(each.simulation.model, each.simulation.data)
        momentum.append(16.0 * each.simulation.data.subtree_linvel[1])
    np.testing.assert_allclose(momentum[0] - momentum[1], [8.0, -4.0, 0.0], atol=0.05)
    assert not robot.simulation.data.xfrc_applied.any()


@pytest.mark.parametrize(("limb", "force", "duration_s", "words"), [
    ("nobody", 1.0, 0.1, "no limb 'nobody'; expected one of torso, front, back"),
    ("front", float("nan"), 0.1, "not finite"), ("front", 1.0, 0.0, "more than 0"),
    ("front", 1.0, 1e9, "at most 60 s"), ("front", 1e6, 0.1, "100 times the robot's weight"),
    ("front", 1e308, 0.1, "100 times the robot's weight")])
def test_pushes_that_make_no_sense_are_refused(
        body: Morphology, limb: str, force: float, duration_s: float, words: str) -> None:
    robot = SimulatedRobot(body)
    with pytest.raises(HdError, match=words):
        robot.push(limb, np.full(3, force), np.zeros(3), duration_s)
    assert not robot.simulation.data.xfrc_applied.any()


def test_physics_goes_on_through_the_largest_push(body: Morphology) -> None:
    robot = SimulatedRobot(body)
    most = MOST_WEIGHTS * 9.8 * body.total_mass
    for force in ([0.0, 0.0, -most], [most, 0.0, 0.0], [0.0, 0.0, most]):
        robot.push("", np.array(force), np.zeros(3), 0.1)
        assert all(robot.advance(np.zeros(len(body.joint_names))) for _ in range(20))


def test_contact_forces_carry_the_robot_at_rest(body: Morphology) -> None:
    robot = SimulatedRobot(body)
    contacts = ContactForces(robot.simulation.model, tuple(limb.name for limb in body.limbs))
    assert contacts.of(robot.simulation.data) == []
    for _ in range(400):
        robot.advance(np.zeros(3))
    before = robot.simulation.data.qacc_warmstart.copy()
    found = contacts.of(robot.simulation.data)
    assert np.array_equal(robot.simulation.data.qacc_warmstart, before)
    ground = [contact for contact in found if contact.other == GROUND]
    assert ground and {contact.limb for contact in found} <= {"torso", "front", "back"}
    np.testing.assert_allclose(sum(contact.force for contact in ground), [0.0, 0.0, 16.0 * 9.81], atol=2.0)
    assert all(contact.normal[2] > 0.99 and abs(contact.position[2]) < 0.02 for contact in ground)


def test_steps_are_taken_only_while_paused() -> None:
    gate = TimeGate()
    assert gate.open
    with pytest.raises(HdError, match="paused"):
        gate.allow(1)
    gate.set_pause(True)
    assert not gate.open
    gate.allow(2)
    gate.allow(1)
    for _ in range(3):
        assert gate.open
        gate.stepped()
    assert not gate.open
    for wrong in (0, -1, 10**9):
        with pytest.raises(HdError, match="expected 1 to"):
            gate.allow(wrong)
    gate.allow(5)
    gate.set_pause(True)
    assert not gate.open, "steps asked for are forgotten"
