"""Sensors, motors and bodies that are not perfect: statistics, seeds, delays, and nothing at all where off."""

from dataclasses import replace

import numpy as np
import pytest

from hd_controller.errors import HdError
from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_sim_bridge.actuator_model import ActuatorModel
from hd_sim_bridge.imperfections import Imperfections, SensorErrors, error_names
from hd_sim_bridge.randomisation import BodyRandomiser
from hd_sim_bridge.sensor_model import Reading, SensorModel
from hd_sim_bridge.simulation import STEP_NS, Simulation

STATE = RobotState(0, np.array([1.0, 2.0, 3.0]), np.array([1.0, 0, 0, 0]), np.array([0.1, 0.2, 0.3]),
                   np.array([0.4, 0.5, 0.6]), np.array([0.7, 0.8]), np.array([0.9, 1.0]))
FORCE = np.array([0.0, 0.0, 9.81])
LIMITS = np.array([10.0, 100.0])


def _quantities(reading: Reading) -> dict[str, np.ndarray]:
    """All that was measured; the orientation as angles."""
    state = reading.state
    named = {"joint_position": state.joint_positions, "joint_velocity": state.joint_velocities,
             "orientation": 2 * state.orientation[1:], "specific_force": reading.specific_force}
    return {name: named[name] if name in named else getattr(state, name) for name in error_names()}


def _readings(model: SensorModel, count: int) -> list[Reading]:
    """Readings of one state that only its stamp tells apart."""
    found = [model.measure(replace(STATE, stamp_ns=step * STEP_NS), FORCE) for step in range(count)]
    return [reading for reading in found if reading is not None]


def test_without_imperfections_the_very_state_is_shown() -> None:
    reading = SensorModel(Imperfections(), 0).measure(STATE, FORCE)
    assert reading.state is STATE and reading.specific_force is FORCE and reading.complete
    efforts = np.array([3.0, -4.0])
    assert ActuatorModel(LIMITS, Imperfections(), 0).drive(efforts).efforts is efforts
    assert not Imperfections().any and Imperfections(sensor_drop=0.1).any


@pytest.mark.parametrize("name", error_names())
def test_noise_has_the_wanted_deviation_on_its_quantity_alone(name: str) -> None:
    level = 0.01
    noisy = _readings(SensorModel(Imperfections(noise=SensorErrors(**{name: level})), 3), 4000)
    perfect = _quantities(Reading(STATE, FORCE))
    for other in error_names():
        errors = np.array([_quantities(reading)[other] - perfect[other] for reading in noisy])
        if other == name:
            np.testing.assert_allclose(errors.std(axis=0), level, rtol=0.05)
            np.testing.assert_allclose(errors.mean(axis=0), 0.0, atol=5 * level / 4000**0.5)
        else:
            np.testing.assert_allclose(errors, 0.0, atol=1e-15)


def test_bias_stays_until_the_next_spawn_and_has_the_wanted_deviation() -> None:
    model = SensorModel(Imperfections(bias=SensorErrors(joint_position=0.2)), 0)
    biases = []
    for _ in range(500):
        model.spawned()
        errors = [reading.state.joint_positions - STATE.joint_positions for reading in _readings(model, 3)]
        assert np.array_equal(errors[0], errors[1]) and np.array_equal(errors[0], errors[2])
        biases.append(errors[0])
    assert np.std(biases) == pytest.approx(0.2, rel=0.1)


def test_a_delayed_state_is_an_older_one_with_its_own_stamp() -> None:
    model = SensorModel(Imperfections(sensor_delay_s=0.06), 0)
    assert [reading.state.stamp_ns for reading in _readings(model, 6)] == [0, STEP_NS, 2 * STEP_NS]
    model.spawned()
    assert model.measure(STATE, FORCE) is None, "nothing is measured before the spawn"


def test_messages_are_lost_each_for_itself_as_often_as_wanted() -> None:
    readings = _readings(SensorModel(Imperfections(sensor_drop=0.3), 0), 5000)
    for topic in ("joints", "odometry", "imu"):
        assert np.mean([getattr(reading, topic) for reading in readings]) == pytest.approx(0.7, abs=0.03)
    assert np.mean([reading.complete for reading in readings]) == pytest.approx(0.343, abs=0.03)


def test_the_seed_decides_and_begins_anew() -> None:
    settings = Imperfections(noise=SensorErrors(position=0.1), bias=SensorErrors(position=0.1), sensor_drop=0.5)

    def shown(model: SensorModel) -> list:
        return [(reading.state.position.tolist(), reading.complete) for reading in _readings(model, 20)]

    model = SensorModel(settings, 4)
    first = shown(model)
    assert shown(SensorModel(settings, 4)) == first and shown(SensorModel(settings, 5)) != first
    model.spawned(4)
    assert shown(model) == first


@pytest.mark.parametrize("steps", [1, 4, 6])
def test_actuator_delay_in_physics_steps(steps: int) -> None:
    """Worked by hand: laid out in physics steps, the efforts are the commands moved by the delay."""
    model = ActuatorModel(LIMITS, Imperfections(actuator_delay_s=steps * 0.005), 0)
    acted: list[float] = []
    for number in range(1, 5):
        drive = model.drive(np.array([float(number), 0.0]))
        acted += [drive.before[0]] * drive.before_steps + [drive.efforts[0]] * (4 - drive.before_steps)
    commanded = [float(number) for number in range(1, 5) for _ in range(4)]
    assert acted == ([0.0] * steps + commanded)[:16]
    model.spawned()
    assert not model.drive(np.ones(2)).before.any()


def test_effort_noise_is_a_part_of_the_limit() -> None:
    model = ActuatorModel(LIMITS, Imperfections(effort_noise=0.02), 0)
    efforts = np.array([model.drive(np.ones(2)).efforts for _ in range(4000)])
    np.testing.assert_allclose(efforts.std(axis=0), 0.02 * LIMITS, rtol=0.05)


def test_late_efforts_act_in_the_first_physics_steps(body: Morphology) -> None:
    """Against a plain loop over physics steps."""
    import mujoco

    simulation, before, after = Simulation(body, 1), np.array([5.0, 6.0, 7.0]), np.array([-20.0, 30.0, 40.0])
    plain = mujoco.MjData(simulation.model)
    plain.qpos[:], plain.qvel[:] = simulation.data.qpos, simulation.data.qvel
    for late in (0, 1, 2, 3):
        simulation.step(after, before, late)
        for step in range(4):
            plain.ctrl[:] = (before if step < late else after) / 100.0
            mujoco.mj_step(simulation.model, plain)
        np.testing.assert_allclose(simulation.data.qpos, plain.qpos, atol=1e-10)
    np.testing.assert_allclose(simulation.data.ctrl, after / 100.0)


def test_bodies_are_drawn_within_the_spread_and_the_described_one_is_kept(body: Morphology) -> None:
    simulation = Simulation(body)
    model, described = simulation.model, Simulation(body).model
    randomiser = BodyRandomiser(model, Imperfections(friction_spread=0.4, mass_spread=0.2), 0)
    frictions, masses = [], []
    for _ in range(300):
        randomiser.spawned(simulation.data)
        friction = model.geom_friction / described.geom_friction
        mass = model.body_mass[1:] / described.body_mass[1:]
        np.testing.assert_allclose(friction, friction[0, 0])
        np.testing.assert_allclose(model.body_inertia[1:] / described.body_inertia[1:], mass[:, None] * np.ones(3))
        frictions.append(friction[0, 0])
        masses.append(mass)
    assert 0.6 <= min(frictions) < 0.65 and 1.35 < max(frictions) <= 1.4
    assert 0.8 <= np.min(masses) < 0.82 and 1.18 < np.max(masses) <= 1.2
    assert abs(np.corrcoef(np.array(masses).T)[0, 1]) < 0.2, "each limb has its own factor"
    assert model.body_subtreemass[1] == pytest.approx(model.body_mass.sum()), "derived numbers follow"


@pytest.mark.parametrize(("wrong", "words"), [
    ({"sensor_delay_s": 0.03}, "sensor_delay is 0.03 s; expected a whole number of 0.02 s"),
    ({"actuator_delay_s": 0.012}, "actuator_delay.*0.005 s"),
    ({"sensor_drop": 1.0}, "sensor_drop is 1; expected a number from 0 to below 1"),
    ({"mass_spread": -0.1}, "mass_spread"),
    ({"noise": SensorErrors(position=float("nan"))}, "sensor_noise.position is nan; expected 0 or a positive number"),
    ({"bias": SensorErrors(joint_position=-1.0)}, "sensor_bias.joint_position"),
])
def test_figures_that_make_no_sense_are_refused(wrong: dict, words: str) -> None:
    with pytest.raises(HdError, match=words):
        Imperfections(**wrong)
