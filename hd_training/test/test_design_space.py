"""The design space: valid, symmetric, reproducible, steppable bodies; slots as designed; masses as MuJoCo's."""

import mujoco
import numpy as np
import pytest

from hd_controller.mujoco_model import build_model
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf
from hd_training.demo_robots import DEMO_PLANS, demo_robots
from hd_training.design_space import (
    LIMB_RADIUS_M,
    MAX_LIMBS,
    build,
    capsule_inertial,
    is_valid,
    lateral_centre_of_mass,
    sample_plan,
    self_intersections,
)

SEEDS = range(15)


def sampled(seed):
    return build(sample_plan(np.random.default_rng(seed), f"robot_{seed}"))


@pytest.mark.parametrize("seed", SEEDS)
def test_sampled_bodies_are_valid_symmetric_and_steppable(seed):
    robot = sampled(seed)
    assert 2 <= len(robot.limbs) <= MAX_LIMBS + 1
    assert abs(lateral_centre_of_mass(robot)) < 1e-9
    assert self_intersections(robot) == []
    model = build_model(robot)
    data = mujoco.MjData(model)
    rng = np.random.default_rng(seed)
    for _ in range(50):
        data.ctrl[:] = rng.uniform(-1, 1, model.nu)
        mujoco.mj_step(model, data, nstep=4)
    assert np.isfinite(data.qpos).all() and data.time == pytest.approx(1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_same_seed_same_body_and_urdf_round_trip(seed):
    robot = sampled(seed)
    assert robot == sampled(seed)
    assert read_urdf(write_urdf(robot)) == robot


@pytest.mark.parametrize("seed", SEEDS)
def test_hinge_kinds_land_in_their_slots(seed):
    robot = sampled(seed)
    kinds = [0 if name.startswith("limbx_") else 1 for name in robot.joint_names]
    assert [int(slot) % 2 for slot in robot.slots] == kinds


def test_capsule_inertia_is_mujocos():
    direction = np.array([0.6, 0.0, -0.8])
    mass, tensor = capsule_inertial(0.25, 700.0, direction)
    start, end = LIMB_RADIUS_M * direction, (LIMB_RADIUS_M + 0.25) * direction
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body()
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=[*start, *end], size=[LIMB_RADIUS_M, 0, 0], density=700.0)
    model = spec.compile()
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[1])
    rotation = rotation.reshape(3, 3)
    assert mass == pytest.approx(model.body_mass[1], rel=1e-9)
    np.testing.assert_allclose(tensor, rotation @ np.diag(model.body_inertia[1]) @ rotation.T, atol=1e-9)


def test_demo_robots_lie_in_the_design_space():
    robots = demo_robots()
    assert len({len(robot.limbs) for robot in robots}) >= 6
    assert len({robot.body_id for robot in robots}) == len(robots)
    assert all(is_valid(plan()) for plan in DEMO_PLANS)


def test_two_demo_robots_share_joint_names_but_not_bodies():
    robots = {robot.name: robot for robot in demo_robots()}
    one, other = robots["quadruped"], robots["quadruped_tall"]
    assert one.joint_names == other.joint_names and one.body_id != other.body_id
