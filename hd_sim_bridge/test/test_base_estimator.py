"""The torso's height and velocity from IMU and joints: against numbers worked by hand and against simulation."""

import math

import numpy as np
import pytest

from hd_controller.base_estimator import BaseEstimator
from hd_controller.contact_points import contact_points
from hd_controller.controller import ControllerSettings, prepare_policy
from hd_controller.description_source import description_text
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.rotations import matrix_from_quaternion
from hd_controller.shapes import Box, Capsule, Cylinder, Sphere
from hd_controller.shipped_files import generator_folder
from hd_sim_bridge.compare_base_state import main
from hd_sim_bridge.guarded_episode import run_episode
from hd_sim_bridge.sensor_noise import NoiseLevels, NoisySensors
from hd_sim_bridge.simulation import Simulation

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
REST = np.array([0.0, 0.0, 9.81])
INERTIA = (0.05, 0.05, 0.05, 0.0, 0.0, 0.0)


def one_leg(shape, length: float = 0.5) -> Morphology:
    """A torso without shape on one leg that swings about y."""
    hinge = Hinge("hip", (0.0, 1.0, 0.0), -1.5, 1.5, 100.0, 20.0)
    return Morphology("one_leg", (
        Limb("torso", -1, (0.0, 0.0, 0.0), 5.0, (0.0, 0.0, 0.0), INERTIA),
        Limb("leg", 0, (0.0, 0.0, -0.1), 1.0, (0.0, 0.0, -length / 2), INERTIA, (shape,), (hinge,)),
    ))


def test_points_of_every_shape() -> None:
    body = one_leg(Box((0.1, 0.0, 0.0), (0.0, 0.0, math.pi / 2), (0.3, 0.2, 0.1)))
    points = contact_points(body)
    assert points.positions.shape == (8, 3) and not points.radii.any() and set(points.limbs) == {1}
    assert np.ptp(points.positions, axis=0) == pytest.approx([0.4, 0.6, 0.2])
    assert contact_points(one_leg(Capsule((0, 0, 0), (0, 0, -0.5), 0.05))).radii.tolist() == [0.05, 0.05]
    assert len(contact_points(one_leg(Sphere((0, 0, 0), 0.05))).radii) == 1
    rim = contact_points(one_leg(Cylinder((0, 0, 0), (0, 0, 0), 0.2, 0.3))).positions
    assert np.hypot(rim[:, 0], rim[:, 1]) == pytest.approx(0.2) and np.abs(rim[:, 2]) == pytest.approx(0.3)


@pytest.mark.parametrize(("angle", "rate"), [(0.0, 0.0), (0.4, 2.0), (-0.9, -1.0)])
def test_a_leg_on_its_point_moves_the_torso(angle: float, rate: float) -> None:
    """Hip at height l cos(a) above the foot; hip speed -l cos(a) * rate along x, -l sin(a) * rate along z."""
    length = 0.5
    body = one_leg(Box((0.0, 0.0, -length), (0, 0, 0), (1e-9, 1e-9, 1e-9)), length)
    estimator = BaseEstimator(body)
    estimator.update(0, UPRIGHT, np.zeros(3), np.array([angle]), np.array([rate]))
    assert estimator.position[2] == pytest.approx(0.1 + length * math.cos(angle), abs=1e-6)
    expected = [length * math.cos(angle) * rate, 0.0, -length * math.sin(angle) * rate]
    assert estimator.velocity == pytest.approx(expected, abs=1e-6)


def test_a_round_foot_rolls() -> None:
    """A ball of radius r at the leg's end, the leg fixed: the body turning about y at w moves along x at w * height."""
    body = one_leg(Sphere((0.0, 0.0, -0.5), 0.1))
    estimator = BaseEstimator(body)
    estimator.update(0, UPRIGHT, np.array([0.0, 2.0, 0.0]), np.zeros(1), np.zeros(1))
    assert estimator.position[2] == pytest.approx(0.7) and estimator.velocity == pytest.approx([1.4, 0.0, 0.0])


@pytest.mark.parametrize("accelerometer", [False, True])
def test_a_standing_robot_is_known_within_a_centimetre(accelerometer: bool) -> None:
    generator = GeneratorBundle.load(generator_folder("default"))
    body = generate_policy(description_text("quadruped")[0], generator).morphology
    simulation, estimator = Simulation(body, 0), BaseEstimator(body)
    offset = np.array([0.05, -0.1, 0.1])
    for _ in range(400):
        simulation.step(np.zeros(len(body.joint_names)))
        state = simulation.state()
        estimator.update(state.stamp_ns, state.orientation, state.angular_velocity, state.joint_positions,
                         state.joint_velocities, simulation.specific_force + offset if accelerometer else None)
    assert abs(estimator.position[2] - state.position[2]) < 0.01 + 0.02 * accelerometer
    assert np.linalg.norm(estimator.velocity) < 0.02 + 0.05 * accelerometer


def test_simulated_accelerometer_shows_gravity_at_rest_and_nothing_in_free_fall() -> None:
    body = one_leg(Sphere((0.0, 0.0, -0.5), 0.1))
    simulation = Simulation(body, 0)
    assert simulation.specific_force == pytest.approx(REST, abs=0.1)
    simulation.step(np.zeros(1))
    assert np.linalg.norm(simulation.specific_force) < 0.1


def test_an_accelerometer_carries_the_velocity_through_a_fall() -> None:
    body = one_leg(Sphere((0.0, 0.0, -0.5), 0.1))
    alone, inertial = BaseEstimator(body), BaseEstimator(body)
    for step in range(1, 16):
        for estimator, force in ((alone, None), (inertial, np.zeros(3) if step > 1 else REST)):
            estimator.update(step * 20_000_000, UPRIGHT, np.zeros(3), np.zeros(1), np.zeros(1), force)
    assert alone.velocity[2] == pytest.approx(0.0)
    assert inertial.velocity[2] == pytest.approx(-9.81 * 14 * 0.02, rel=0.25)


def test_silence_begins_the_estimate_anew() -> None:
    estimator = BaseEstimator(one_leg(Sphere((0.0, 0.0, -0.5), 0.1)))
    pushed = np.array([30.0, 0.0, 9.81])
    for stamp_s in (0.0, 0.02, 0.04):
        estimator.update(round(stamp_s * 1e9), UPRIGHT, np.zeros(3), np.zeros(1), np.zeros(1), pushed)
    assert estimator.velocity[0] > 0.5
    estimator.update(10**9, UPRIGHT, np.zeros(3), np.zeros(1), np.zeros(1), REST)
    assert estimator.velocity == pytest.approx(np.zeros(3)) and estimator.position[2] == pytest.approx(0.7)


def test_the_controller_s_state_carries_the_estimate() -> None:
    """Noise-free IMU through the assembly: orientation and rates bit by bit, height and velocity close to the truth."""
    bundle = generate_policy(description_text("quadruped")[0], GeneratorBundle.load(generator_folder("default")))
    settings = ControllerSettings(base_state="imu", allow_out_of_distribution=True)
    simulation, assembly = Simulation(bundle.morphology, 0), prepare_policy(bundle, settings).assembly
    sensors = NoisySensors(NoiseLevels().scaled(0.0), 0, imu=True)
    for step in range(200):
        simulation.step(np.zeros(len(bundle.joint_names)))
        sensors.feed(simulation, assembly, step * 0.02)
        state = assembly.state()
    truth = simulation.state()
    assert np.allclose(state.orientation, truth.orientation) and np.array_equal(state.joint_positions,
                                                                                truth.joint_positions)
    assert abs(state.position[2] - truth.position[2]) < 0.02
    world = matrix_from_quaternion(truth.orientation) @ state.linear_velocity
    assert np.linalg.norm(world) < 0.05


def test_noise_without_level_is_the_truth_and_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tripod", "--episodes", "1", "--steps", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "imu without accelerometer" in lines[0] and lines[2].startswith("| tripod |")
    bundle = generate_policy(description_text("tripod")[0], GeneratorBundle.load(generator_folder("default")))
    returns = {scale: run_episode(bundle, ControllerSettings(), NoisySensors(NoiseLevels().scaled(scale), 0), 0, 40)
               for scale in (0.0, 1.0)}
    assert returns[0.0].total_return != returns[1.0].total_return
