"""The papers' context sets: equal to what MuJoCo reads from UNIMAL files, whatever is computed from the body."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
from robots_for_tests import six_legs, small_set, unimal_files

from hd_controller.errors import HdError
from hd_controller.mjcf_reader import read_mjcf
from hd_controller.shapes import Box
from hd_training.context_sets import CONTEXT_SETS, paper35_features, paper53_features, scaled
from hd_training.design_space import RANGES_DEG


def test_scaling_by_hand():
    np.testing.assert_allclose(scaled(np.array([0.0, 300.0, 2.0]), ((-1, 1), (0, 300), (1, 1))), [0, 1, 2e8], atol=1e-6)


@pytest.mark.parametrize("name", CONTEXT_SETS)
def test_sizes_and_finiteness(name):
    for robot in [*small_set(), six_legs()]:
        features = CONTEXT_SETS[name].features(robot)
        assert features.shape == (len(robot.limbs), CONTEXT_SETS[name].size) and np.isfinite(features).all()


def test_one_hot_entries():
    robot = six_legs()
    features = paper53_features(robot)
    for place, hinge in zip(robot.slots, robot.hinges, strict=True):
        limb, slot = divmod(int(place), 2)
        block = features[limb, 13 + 20 * slot : 33 + 20 * slot]
        assert block[:13].sum() == 1 and block[16:].sum() == 1
        degrees = RANGES_DEG[int(block[:13].argmax())]
        np.testing.assert_allclose(np.rad2deg([hinge.lower, hinge.upper]), degrees, atol=1e-6)
        assert (150, 200, 250, 300)[int(block[16:].argmax())] == hinge.effort_limit


def _from_file(path: Path, name: str) -> dict[str, np.ndarray]:
    """Unscaled features of each limb of a file, straight from MuJoCo's model."""
    model = mujoco.MjModel.from_xml_path(str(path))
    rows = {}
    for body in range(1, model.nbody):
        geom, label = model.body_geomadr[body], model.body(body).name.replace("/", "_")
        size = model.geom_size[geom] * [1, model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_SPHERE, 1]
        limb = [*model.body_pos[body], *model.body_ipos[body], *model.body_iquat[body], *model.geom_quat[geom]]
        rows[label] = np.array([*limb, model.body_mass[body], *size[:2]])
        for joint in range(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body]):
            if model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_HINGE:
                continue
            actuator = int(np.flatnonzero(model.actuator_trnid[:, 0] == joint)[0])
            numbers = [*model.jnt_pos[joint], *model.jnt_range[joint], *model.jnt_axis[joint]]
            slot = "limby" in model.joint(joint).name
            rows[f"{label}_{int(slot)}"] = np.array([*numbers, model.actuator_gear[actuator, 0]])
    return rows


def _unscaled(robot, row: np.ndarray) -> np.ndarray:
    """Undo the scaling of a limb's 17 numbers of `paper35`."""
    from hd_training import context_sets as sets

    low, high = np.array((*sets._POSITION, *sets._CENTRE, *sets._QUATERNION * 2, *sets._MASS_AND_SIZE)).T
    return np.where(high > low, (row[:17] + 1) * (high - low + 1e-8) / 2 + low, row[:17] * 1e-8 / 2)


@pytest.mark.skipif(not unimal_files(), reason="the UNIMAL robots are not there; set HD_UNIMAL")
@pytest.mark.parametrize("path", unimal_files()[::7], ids=lambda path: path.stem[-24:])
def test_paper35_equals_the_file(path):
    robot, rows = read_mjcf(path), _from_file(path, "paper35")
    features = paper35_features(robot)
    for index, limb in enumerate(robot.limbs):
        expected, got = rows[limb.name], _unscaled(robot, features[index])
        if index == 0:  # files spawn with 0.15 to 0.25 m of clearance; here everybody has 0.2 m, and a raised ground
            assert abs(got[2] - 1.0 - expected[2]) < 0.06
            expected, got = np.delete(expected, 2), np.delete(got, 2)
        near = 6 - (index == 0)  # coordinates of files are rounded to 1 cm, so the offset of a body origin is too
        np.testing.assert_allclose(got[:near], expected[:near], atol=0.011, err_msg=limb.name)
        np.testing.assert_allclose(got[near:], expected[near:], atol=2e-4, err_msg=limb.name)
        for slot in range(2):
            raw = rows.get(f"{limb.name}_{slot}")
            block = features[index, 17 + 9 * slot : 26 + 9 * slot]
            bounds = ((-0.05, 0.05), (-0.05, 0.05), (0, 0.05), (-np.pi / 2, 0), (0, np.pi / 2), (-0.5, 1), (-0.5, 1),
                      (-1, 1), (0, 300))  # fmt: skip
            wanted = np.zeros(9) if raw is None else scaled(raw, bounds)
            assert (np.abs(block[:3] - wanted[:3]) < [0.11, 0.11, 0.21]).all(), (limb.name, slot)  # 5 mm
            np.testing.assert_allclose(block[3:], wanted[3:], atol=5e-3, err_msg=f"{limb.name} slot {slot}")


@pytest.mark.skipif(not unimal_files(), reason="the UNIMAL robots are not there; set HD_UNIMAL")
def test_paper53_positions_are_sums_along_the_tree():
    path = unimal_files()[0]
    robot, model = read_mjcf(path), mujoco.MjModel.from_xml_path(str(path))
    features = paper53_features(robot)
    data = mujoco.MjData(model)
    data.qpos[:] = 0
    data.qpos[3] = 1
    mujoco.mj_kinematics(model, data)
    names = [model.body(body).name.replace("/", "_") for body in range(model.nbody)]
    for row, limb in zip(features, robot.limbs, strict=True):
        np.testing.assert_allclose(row[:3] - features[0, :3], data.xpos[names.index(limb.name)], atol=6e-3)


def test_other_shapes_are_refused_by_name():
    from dataclasses import replace

    robot = small_set()[0]
    box = Box((0.0, 0.0, -0.1), (0.0, 0.0, 0.0), (0.1, 0.1, 0.1))
    limbs = (robot.limbs[0], replace(robot.limbs[1], shapes=(box,)), *robot.limbs[2:])
    with pytest.raises(HdError, match=f"limb {robot.limbs[1].name} has no shape of the benchmark"):
        paper35_features(replace(robot, limbs=limbs))
