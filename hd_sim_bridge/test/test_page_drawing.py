"""A robot as solids, and where they are, against MuJoCo's own geometry and numbers by hand."""

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from hd_controller.kinematics import RobotState
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.shapes import Box, Capsule, Cylinder, Mesh, Sphere
from hd_controller.shipped_files import shipped_robots
from hd_controller.urdf_reader import read_urdf
from hd_sim_bridge.simulation import Simulation
from hd_sim_bridge.web_viewer.drawing import BARE_LIMB_RADIUS, RobotDrawing, quaternion_products
from hd_sim_bridge.web_viewer.measured_state import drawable_state, effort_shares, forward_speed

INERTIA = (0.1, 0.1, 0.1, 0.0, 0.0, 0.0)
TETRAHEDRON = Mesh(((0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, 0.0, 0.3)))


def body_with(*shapes) -> Morphology:
    """A ball with one leg below it, which has these shapes and a hinge about y."""
    hinge = Hinge("hinge", (0.0, 1.0, 0.0), -2.0, 2.0, 10.0, 10.0)
    return Morphology("sample", (
        Limb("torso", -1, (0.0, 0.0, 0.0), 1.0, (0.0, 0.0, 0.0), INERTIA, (Sphere((0.0, 0.0, 0.0), 0.2),)),
        Limb("leg", 0, (0.0, 0.0, -0.5), 1.0, (0.0, 0.0, -0.1), INERTIA, tuple(shapes), (hinge,))))


def state_of(position=(0.0, 0.0, 1.0), orientation=(1.0, 0.0, 0.0, 0.0), joints=(0.0,)) -> RobotState:
    """A state at rest."""
    return RobotState(0, np.array(position), np.array(orientation), np.zeros(3), np.zeros(3), np.array(joints),
                      np.zeros(len(joints)))


def test_a_capsule_is_a_cylinder_between_two_balls_that_turn_with_the_joint():
    drawing = RobotDrawing(body_with(Capsule((0.0, 0.0, 0.0), (0.0, 0.0, -0.4), 0.05)))
    placed, hulls = drawing.place(state_of(joints=(np.pi / 2,)))
    assert hulls == []
    np.testing.assert_allclose(drawing.solids["cylinder"].scales, [[0.05, 0.05, 0.2]])
    np.testing.assert_allclose(drawing.solids["ball"].scales[:, 0], [0.2, 0.05, 0.05])
    assert sorted(np.round(placed["ball"].positions, 9).tolist()) == [[-0.4, 0, 0.5], [0, 0, 0.5], [0, 0, 1.0]]
    np.testing.assert_allclose(placed["cylinder"].positions, [[-0.2, 0, 0.5]], atol=1e-9)


def test_every_kind_of_shape_is_drawn():
    drawing = RobotDrawing(body_with(Box((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.1, 0.2, 0.3)),
                                     Cylinder((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.1, 0.2), TETRAHEDRON))
    np.testing.assert_allclose(drawing.solids["box"].scales, [[0.1, 0.2, 0.3]])
    np.testing.assert_allclose(drawing.solids["cylinder"].scales, [[0.1, 0.1, 0.2]])
    (hull,), ((pose,)) = drawing.hulls, drawing.place(state_of())[1]
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, pose.orientations[0])
    corners = hull.vertices @ rotation.reshape(3, 3).T + pose.positions[0] - (0.0, 0.0, 0.5)
    expected = np.array(TETRAHEDRON.vertices)
    assert len(corners) == 4 and len(hull.faces) == 4
    for corner in expected:
        assert np.linalg.norm(corners - corner, axis=1).min() < 1e-5, corner


def test_a_limb_without_shape_is_a_small_ball():
    drawing = RobotDrawing(body_with())
    assert BARE_LIMB_RADIUS in drawing.solids["ball"].scales
    np.testing.assert_allclose(drawing.place(state_of())[0]["ball"].positions[-1], [0, 0, 0.5])


@pytest.mark.parametrize("name", sorted(shipped_robots()))
def test_solids_are_where_the_physics_has_its_shapes(name):
    body = read_urdf(shipped_robots()[name].read_text())
    simulation, drawing = Simulation(body, seed=3), RobotDrawing(body)
    random = np.random.default_rng(0)
    for _ in range(20):
        simulation.step(random.uniform(-1, 1, len(body.joint_names)) * body.effort_limits)
    mujoco.mj_kinematics(simulation.model, simulation.data)
    placed, _ = drawing.place(simulation.state())
    model, data = simulation.model, simulation.data
    capsules = [geom for geom in range(model.ngeom) if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE]
    assert capsules
    np.testing.assert_allclose(placed["cylinder"].positions, data.geom_xpos[capsules], atol=1e-9)
    for orientation, geom in zip(placed["cylinder"].orientations, capsules, strict=True):
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, orientation)
        np.testing.assert_allclose(rotation, data.geom_xmat[geom], atol=1e-9)
    lowest = (placed["ball"].positions[:, 2] - drawing.solids["ball"].scales[:, 0]).min()
    at_rest = drawing.place(drawing.at_rest)[0]["ball"].positions[:, 2] - drawing.solids["ball"].scales[:, 0]
    assert lowest > -0.05 and abs(at_rest.min()) < 1e-9, "the robot at rest stands on the ground"


def test_quaternion_products_are_those_of_mujoco():
    left, right = np.random.default_rng(0).normal(size=(2, 50, 4))
    expected = np.zeros((50, 4))
    for place in range(50):
        mujoco.mju_mulQuat(expected[place], left[place], right[place])
    np.testing.assert_allclose(quaternion_products(left, right), expected)


def odometry(position=(0.0, 0.0, 0.0), orientation=(1.0, 0.0, 0.0, 0.0), linear=(0.0, 0.0, 0.0)) -> SimpleNamespace:
    """What a nav_msgs/Odometry has; orientation w, x, y, z."""
    names = ("w", "x", "y", "z")
    pose = SimpleNamespace(position=SimpleNamespace(**dict(zip("xyz", position, strict=True))),
                           orientation=SimpleNamespace(**dict(zip(names, orientation, strict=True))))
    twist = SimpleNamespace(linear=SimpleNamespace(**dict(zip("xyz", linear, strict=True))))
    return SimpleNamespace(pose=SimpleNamespace(pose=pose), twist=SimpleNamespace(twist=twist))


def test_what_was_not_measured_is_drawn_at_rest_and_named():
    rest = state_of(position=(0.0, 0.0, 0.7), joints=(0.1, 0.2, 0.3))
    joints = SimpleNamespace(name=["c", "a", "b"], position=[3.0, 1.0, float("nan")])
    state, missing = drawable_state(rest, ("a", "b", "c"), joints, odometry((1.0, 2.0, float("inf"))), None)
    np.testing.assert_allclose(state.joint_positions, [1.0, 0.2, 3.0])
    np.testing.assert_allclose(state.position, [0.0, 0.0, 0.7])
    assert missing == ["b"]
    assert drawable_state(rest, ("a",), None, None, None)[1] == ["a"]
    turned = odometry(orientation=(0.0, 0.0, 0.0, 0.0))
    np.testing.assert_allclose(drawable_state(rest, (), None, turned, None)[0].orientation, [1, 0, 0, 0])


def test_without_odometry_the_imu_turns_the_robot():
    rest = state_of()
    imu = SimpleNamespace(orientation=SimpleNamespace(w=0.0, x=0.0, y=0.0, z=1.0), orientation_covariance=[0.0] * 9)
    np.testing.assert_allclose(drawable_state(rest, (), None, None, imu)[0].orientation, [0, 0, 0, 1])
    imu.orientation_covariance[0] = -1.0
    np.testing.assert_allclose(drawable_state(rest, (), None, None, imu)[0].orientation, [1, 0, 0, 0])


def test_forward_speed_is_along_x_of_the_world():
    half = np.sqrt(0.5)
    assert forward_speed(odometry(linear=(2.0, 5.0, 0.0))) == pytest.approx(2.0)
    assert forward_speed(odometry(orientation=(half, 0, 0, half), linear=(2.0, -5.0, 0.0))) == pytest.approx(5.0)
    assert forward_speed(odometry(orientation=(0.0, 0, 0, 0), linear=(2.0, 0.0, 0.0))) == 0.0


def test_efforts_are_told_in_parts_of_their_limits():
    command = SimpleNamespace(joint_names=["a", "b", "unknown"], effort=[5.0, -1.0, 100.0])
    assert effort_shares(command, {"a": 10.0, "b": 10.0}) == pytest.approx((50.0, 30.0))
    assert effort_shares(command, {}) == (0.0, 0.0)
