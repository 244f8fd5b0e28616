"""Observations against a slow forward kinematics of its own, against numbers by hand and against the simulator."""

import math

import mujoco
import numpy as np
import pytest
from bodies import own_robots, random_body, unimal, unimal_parameters

from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.mujoco_model import FRAME_SKIP, build_model
from hd_controller.observation import OBSERVATION_SIZE, WORLD, ObservationLayout, Origin
from hd_controller.robot_file import read_robot


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hamilton product of quaternions (w, x, y, z)."""
    return np.array([a[0] * b[0] - a[1:] @ b[1:], *(a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:]))])


def turned(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A vector turned by a quaternion."""
    conjugate = quaternion * np.array([1, -1, -1, -1])
    return multiply(multiply(quaternion, np.array([0.0, *vector])), conjugate)[1:]


def about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Quaternion of a turn about an axis."""
    return np.array([math.cos(angle / 2), *(math.sin(angle / 2) * np.asarray(axis))])


def slow_observation(body: Morphology, state: RobotState, origin: Origin) -> np.ndarray:
    """(L, 17) by walking the tree with quaternions, one limb at a time."""
    to_origin = about((0, 0, 1), -origin.heading)
    result = np.zeros((len(body.limbs), OBSERVATION_SIZE))
    frames = []
    joint = 0
    for index, limb in enumerate(body.limbs):
        if index == 0:
            place = np.asarray(state.position) - (origin.x, origin.y, 0)
            place, turn = turned(to_origin, place), multiply(to_origin, state.orientation)
            spin, speed = turned(turn, state.angular_velocity), turned(turn, state.linear_velocity)
        else:
            place, turn, spin, speed = frames[limb.parent]
            arm = turned(turn, limb.position)
            place, speed = place + arm, speed + np.cross(spin, arm)
        for hinge in limb.hinges:
            spin = spin + turned(turn, hinge.axis) * state.joint_velocities[joint]
            turn = multiply(turn, about(hinge.axis, state.joint_positions[joint]))
            slot = 13 + 2 * (body.slots[joint] % 2)
            share = (state.joint_positions[joint] - hinge.lower) / (hinge.upper - hinge.lower)
            result[index, slot : slot + 2] = share, state.joint_velocities[joint]
            joint += 1
        frames.append((place, turn, spin, speed))
        result[index, :13] = *place, *turn, *speed, *spin
    result[:, 0] -= result[0, 0]
    return result


def same_up_to_sign(observation: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The expected observation with quaternions signed as in the other one."""
    signed = expected.copy()
    dots = np.sum(observation[:, 3:7] * expected[:, 3:7], axis=1, keepdims=True)
    signed[:, 3:7] *= np.where(dots < 0, -1.0, 1.0)
    return signed


def random_state(random: np.random.Generator, joints: int) -> RobotState:
    """A state far from rest."""
    quaternion = random.normal(size=4)
    return RobotState(
        0,
        random.normal(size=3),
        quaternion / np.linalg.norm(quaternion),
        *random.normal(size=(2, 3)),
        *random.normal(size=(2, joints)),
    )


@pytest.mark.parametrize("seed", range(12))
def test_against_slow_forward_kinematics(seed: int):
    random = np.random.default_rng(seed)
    body = random_body(seed, limbs=1 + 2 * seed)
    kinematics = Kinematics(body)
    for origin in (WORLD, Origin(0.4, -1.0, 2.5), Origin(-3.0, 0.2, -1.1)):
        state = random_state(random, len(body.joint_names))
        observation = kinematics.observe(state, origin)
        expected = same_up_to_sign(observation, slow_observation(body, state, origin))
        np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-12)
        assert observation[0, 3] >= 0


def test_limbs_follow_the_sign_of_the_torso():
    body = random_body(3)
    state = random_state(np.random.default_rng(0), len(body.joint_names))
    mirrored = RobotState(**{**vars(state), "orientation": -state.orientation})
    kinematics = Kinematics(body)
    first = kinematics.observe(state, WORLD).copy()
    np.testing.assert_array_equal(kinematics.observe(mirrored, WORLD), first)


def test_quaternion_length_does_not_matter():
    body = random_body(4)
    state = random_state(np.random.default_rng(1), len(body.joint_names))
    longer = RobotState(**{**vars(state), "orientation": 1.01 * state.orientation})
    kinematics = Kinematics(body)
    first = kinematics.observe(state, WORLD).copy()
    np.testing.assert_allclose(kinematics.observe(longer, WORLD), first, rtol=0, atol=1e-12)
    heading = Origin.from_pose(state.position, state.orientation).heading
    assert Origin.from_pose(longer.position, longer.orientation).heading == pytest.approx(heading, abs=1e-12)


def pendulum() -> Morphology:
    """A torso with a rod that hangs 0.5 m below it and swings about y."""
    moments = (0.1, 0.1, 0.1, 0.0, 0.0, 0.0)
    hinge = Hinge("swing", (0.0, 1.0, 0.0), -math.pi, math.pi, 10.0, 5.0)
    torso = Limb("torso", -1, (0.0, 0.0, 0.0), 1.0, (0.0, 0.0, 0.0), moments)
    rod = Limb("rod", 0, (0.0, 0.0, -0.5), 1.0, (0.0, 0.0, -0.25), moments, (), (hinge,))
    return Morphology("pendulum", (torso, rod))


def test_pendulum_by_hand():
    # The torso stands at (1, 2, 3), turned by 90 degrees to the left, moves at 1 m/s along its own x (the world's y)
    # and spins at 2 rad/s about z; the rod is at 90 degrees and turns at 3 rad/s about the torso's y (the world's -x).
    # Seen from an origin with the same heading, the world's y is +x: speed (1, 0, 0), rod axis +y.
    half = math.sqrt(0.5)
    state = RobotState(
        0,
        np.array([1.0, 2.0, 3.0]),
        np.array([half, 0.0, 0.0, half]),
        np.array([1.0, 0.0, 0.0]),
        np.array([0.0, 0.0, 2.0]),
        np.array([math.pi / 2]),
        np.array([3.0]),
    )
    origin = Origin.from_pose(state.position, state.orientation)
    assert (origin.x, origin.y, origin.heading) == pytest.approx((1.0, 2.0, math.pi / 2))
    # The rod's com direction is straight down, so z is kept by the shortest rotation and y is slot 1.
    torso = [0, 0, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    rod = [0, 0, 2.5, half, 0, half, 0, 1, 0, 0, 0, 3, 2, 0, 0, 0.75, 3]
    np.testing.assert_allclose(Kinematics(pendulum()).observe(state, origin), [torso, rod], rtol=0, atol=1e-12)
    world = Kinematics(pendulum()).observe(state, WORLD)
    np.testing.assert_allclose(world[1, :3], [0, 2, 2.5], rtol=0, atol=1e-12)
    np.testing.assert_allclose(world[1, 7:13], [0, 1, 0, -3, 0, 2], rtol=0, atol=1e-12)


def test_body_axes_of_the_velocities():
    # Pitched by 90 degrees, the torso's x points down: 1 m/s along it lowers it.
    half = math.sqrt(0.5)
    state = RobotState(
        0, np.zeros(3), np.array([half, 0, half, 0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), *np.zeros((2, 1))
    )
    row = Kinematics(pendulum()).observe(state, WORLD)[0]
    np.testing.assert_allclose(row[7:13], [0, 0, -1, 1, 0, 0], rtol=0, atol=1e-12)


def check_simulation(body: Morphology) -> None:
    """Sensors after a control step that ends fresh give the observation of that instant's state."""
    model = build_model(body)
    data = mujoco.MjData(model)
    random = np.random.default_rng(0)
    layout, kinematics = ObservationLayout(body), Kinematics(body)
    sensed = np.zeros((len(body.limbs), OBSERVATION_SIZE))
    mujoco.mj_forward(model, data)
    for _ in range(20):
        data.ctrl[:] = random.uniform(-1, 1, model.nu)
        mujoco.mj_step2(model, data)
        mujoco.mj_step(model, data, FRAME_SKIP - 1)
        mujoco.mj_step1(model, data)
        origin = Origin(*random.normal(size=3))
        layout.fill(data.sensordata, data.qpos[7:], data.qvel[6:], sensed, origin)
        quaternion = data.qpos[3:7]
        velocity = turned(quaternion * (1, -1, -1, -1), data.qvel[:3])
        state = RobotState(
            0, data.qpos[:3], quaternion, velocity, data.qvel[3:6].copy(), data.qpos[7:].copy(), data.qvel[6:].copy()
        )
        np.testing.assert_allclose(kinematics.observe(state, origin), sensed, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_simulation_shows_the_same_on_random_bodies(seed: int):
    check_simulation(random_body(seed))


@pytest.mark.parametrize("path", own_robots(), ids=lambda path: path.stem)
def test_simulation_shows_the_same_on_own_robots(path):
    check_simulation(read_robot(path, notes=[]))


@pytest.mark.parametrize("path", unimal_parameters(step=10))
def test_simulation_shows_the_same_on_unimal(path):
    check_simulation(unimal(path))


def test_layout_takes_batch_axes():
    body = random_body(1)
    model = build_model(body, scene=False)
    layout = ObservationLayout(body)
    random = np.random.default_rng(0)
    sensors = random.normal(size=(2, 3, model.nsensordata))
    joints = random.normal(size=(2, 2, 3, len(body.joint_names)))
    batch = np.empty((2, 3, len(body.limbs), OBSERVATION_SIZE))
    layout.fill(sensors, joints[0], joints[1], batch, Origin(1.0, 2.0, 0.5))
    single = np.empty((len(body.limbs), OBSERVATION_SIZE))
    for place in np.ndindex(2, 3):
        layout.fill(sensors[place], joints[0][place], joints[1][place], single, Origin(1.0, 2.0, 0.5))
        np.testing.assert_array_equal(batch[place], single)
