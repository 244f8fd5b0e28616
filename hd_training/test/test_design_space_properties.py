"""Properties of many random bodies: valid, mirror-symmetric, no forbidden contact, read back exactly, steppable."""

from collections import Counter

import mujoco
import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import build_model
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf
from hd_training.design_space import (
    MAX_LIMBS,
    build,
    depth_first,
    is_valid,
    lateral_centre_of_mass,
    sample_plan,
    touching_limbs,
)
from hd_training.mutation import OPERATORS, applicable, apply_one, mutate
from hd_training.plan_reader import read_plan

SEEDS = st.integers(0, 2**31)
MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def plans():
    """Sampled bodies, up to three operators away from what growth alone gives."""

    def draw(seed: int, operations: int):
        rng = np.random.default_rng(seed)
        plan = sample_plan(rng, f"body_{seed}")
        return mutate(plan, rng, operations=operations)[0] if operations else plan

    return st.builds(draw, SEEDS, st.integers(0, 3))


def placed_limbs(robot: Morphology, flip: float) -> Counter:
    """What stands where: torso-frame places, masses and hinge settings of all limbs, y times `flip`, as a multiset."""
    origins, rows = [], []
    for limb in robot.limbs:
        base = origins[limb.parent] if limb.parent >= 0 else np.zeros(3)
        origins.append(base + np.array(limb.position))
        place = np.concatenate([origins[-1], origins[-1] + np.array(limb.com)]) * [1, flip, 1, 1, flip, 1]
        settings_ = tuple((h.lower, h.upper, h.effort_limit, h.damping, h.armature) for h in limb.hinges)
        rows.append((tuple((np.round(place, 6) + 0.0).tolist()), round(limb.mass, 6), settings_))
    return Counter(rows)


@MANY
@given(plans())
def test_bodies_obey_the_rules(plan):
    robot = build(plan)
    assert 1 <= len(plan.limbs) <= MAX_LIMBS and is_valid(plan)
    assert all(1 <= len(limb.hinges) <= 2 for limb in robot.limbs[1:])
    assert abs(lateral_centre_of_mass(robot)) < 1e-9
    assert placed_limbs(robot, 1.0) == placed_limbs(robot, -1.0)
    assert touching_limbs(robot) == []


@MANY
@given(plans())
def test_bodies_are_read_back_exactly(plan):
    robot = build(plan)
    assert read_urdf(write_urdf(robot)) == robot
    recovered = build(read_plan(robot))
    assert recovered.body_id == robot.body_id and recovered.joint_names == robot.joint_names


@MANY
@given(plans(), SEEDS)
def test_bodies_step_without_nan(plan, seed):
    model = build_model(build(plan))
    data = mujoco.MjData(model)
    rng = np.random.default_rng(seed)
    for _ in range(50):
        data.ctrl[:] = rng.uniform(-1, 1, model.nu)
        mujoco.mj_step(model, data, nstep=4)
    assert np.isfinite(data.qpos).all() and np.isfinite(data.qvel).all()
    assert abs(data.time - 1.0) < 1e-9, "the simulation diverged and MuJoCo reset it"
    assert sum(warning.number for warning in data.warning) == 0


@MANY
@given(plans(), SEEDS)
def test_every_operation_changes_the_body(plan, seed):
    changed, name = apply_one(plan, np.random.default_rng(seed))
    assert name in applicable(plan)
    assert build(changed).body_id != build(plan).body_id and is_valid(changed)
    assert changed == depth_first(changed)


@MANY
@given(plans(), SEEDS, st.sampled_from(["limb_params", "density", "gear", "joint_angle", "dof"]))
def test_operators_change_what_their_name_says(plan, seed, name):
    changed = OPERATORS[name](plan, np.random.default_rng(seed))
    assume(changed is not None and changed != plan)
    kept = {
        "limb_params": lambda p: [(p.torso_density, p.limb_density), [limb.hinges for limb in p.limbs]],
        "density": lambda p: [p.limbs],
        "gear": lambda p: [[[(h.kind, h.range_deg) for h in limb.hinges] for limb in p.limbs], p.limb_density],
        "joint_angle": lambda p: [[[(h.kind, h.gear_nm) for h in limb.hinges] for limb in p.limbs], p.limb_density],
        "dof": lambda p: [[limb.height_m for limb in p.limbs], p.limb_density],
    }[name]
    assert kept(changed) == kept(plan)
    assert [(limb.parent, limb.site, limb.azimuth_deg, limb.polar_deg, limb.group) for limb in changed.limbs] == [
        (limb.parent, limb.site, limb.azimuth_deg, limb.polar_deg, limb.group) for limb in plan.limbs
    ]


@MANY
@given(SEEDS)
def test_growing_and_deleting_move_whole_groups(seed):
    rng = np.random.default_rng(seed)
    plan = sample_plan(rng, "body")
    grown = OPERATORS["grow_limb"](plan, rng) if len(plan.limbs) < MAX_LIMBS else None
    if grown is not None:
        assert len(grown.limbs) - len(plan.limbs) in (1, 2)
        assert len({limb.group for limb in grown.limbs[len(plan.limbs) :]}) == 1
    if len(plan.limbs) > 2:
        smaller = OPERATORS["delete_limb"](plan, rng)
        gone = {limb.group for limb in plan.limbs} - {limb.group for limb in smaller.limbs}
        assert len(gone) == 1 and len(plan.limbs) - len(smaller.limbs) in (1, 2)
