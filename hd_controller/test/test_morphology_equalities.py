"""Nothing is lost between a robot file, the Morphology, the exported URDF and the simulated model."""

from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest
from bodies import UNIMAL_SKIP, own_robots, random_body, unimal, unimal_files, unimal_parameters

from hd_controller.context import context_features
from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.morphology import Morphology, sanitised_name
from hd_controller.mujoco_model import FLOOR_HALF_SIZE, FRAME_SKIP, FRICTION, build_model
from hd_controller.robot_file import read_robot
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf

STATES, EPISODE = 200, 50
OWN = own_robots()


@lru_cache(maxsize=128)
def original_model(path: Path) -> mujoco.MjModel:
    """The file's own model in the benchmark's flat scene: exclusion list dropped, parent filter on."""
    spec = mujoco.MjSpec.from_file(str(path))
    spec.option.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_FILTERPARENT)
    for exclusion in list(spec.excludes):
        spec.delete(exclusion)
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX, size=FLOOR_HALF_SIZE, pos=(0, 0, -FLOOR_HALF_SIZE[2]), friction=FRICTION
    )
    return spec.compile()


def joint_inertias(model: mujoco.MjModel) -> np.ndarray:
    """(J,) inertia of all that hangs on each joint about its axis, at zero configuration [kg m^2]."""
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    full = np.zeros((model.nv, model.nv))
    units = np.eye(model.nv)
    for column, vector in zip(full, units, strict=True):
        mujoco.mj_mulM(model, data, column, vector)
    return np.diag(full)[6:] - model.dof_armature[6:]


def check_lossless(body: Morphology) -> None:
    """Through URDF and JSON and back, exactly."""
    rebuilt = read_urdf(write_urdf(body), notes=[])
    assert rebuilt == body
    assert (rebuilt.body_id, rebuilt.robot_id) == (body.body_id, body.robot_id)
    assert Morphology.from_json(body.to_json()) == body
    np.testing.assert_allclose(context_features(rebuilt), context_features(body), rtol=0, atol=1e-6)


@pytest.mark.parametrize("path", unimal_parameters())
def test_unimal_robot_survives_urdf_and_json(path: Path):
    check_lossless(unimal(path))


@pytest.mark.parametrize("path", unimal_parameters())
def test_unimal_slots_are_x_and_y(path: Path):
    body = unimal(path)
    wanted = [{"limbx": 0, "limby": 1}[name.split("_")[0]] for name in body.joint_names]
    assert (body.slots % SLOTS_PER_LIMB).tolist() == wanted


def test_unimal_set_is_whole():
    if not unimal_files():
        pytest.skip(UNIMAL_SKIP)
    bodies = [unimal(path) for path in unimal_files()]
    assert len(bodies) == 100
    assert sum(len(body.joint_names) for body in bodies) == 1070
    distinct = {Morphology("same", body.limbs).body_id for body in bodies}
    assert len(distinct) == 93, "five pairs and one triple of files differ in marker sites only"


@pytest.mark.parametrize("path", unimal_parameters())
def test_unimal_mass_and_inertia_about_joints(path: Path):
    original, rebuilt = original_model(path), build_model(unimal(path))
    assert original.body_mass.sum() == pytest.approx(rebuilt.body_mass.sum(), rel=1e-12)
    np.testing.assert_allclose(joint_inertias(rebuilt), joint_inertias(original), rtol=1e-9)


@pytest.mark.parametrize("path", unimal_parameters())
def test_unimal_control_step_from_recorded_states(path: Path):
    original, rebuilt = original_model(path), build_model(unimal(path))
    names = [sanitised_name(original.joint(index).name) for index in range(1, original.njnt)]
    assert tuple(names) == unimal(path).joint_names
    first, second = mujoco.MjData(original), mujoco.MjData(rebuilt)
    random = np.random.default_rng(0)
    for step in range(STATES):
        if step % EPISODE == 0:
            mujoco.mj_resetData(original, first)
            first.qpos[2] = unimal(path).standing_height + random.uniform(0.0, 0.3)
        second.qpos[:], second.qvel[:] = first.qpos, first.qvel
        for data in (first, second):
            data.qacc_warmstart[:] = 0.0
        first.ctrl[:] = second.ctrl[:] = random.uniform(-1, 1, original.nu)
        mujoco.mj_step(original, first, FRAME_SKIP)
        mujoco.mj_step(rebuilt, second, FRAME_SKIP)
        assert np.abs(first.qpos - second.qpos).max() <= 1e-8
        assert np.abs(first.qvel - second.qvel).max() <= 1e-8


def test_own_robots_are_there():
    assert OWN


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_robot_survives_urdf_and_json(path: Path):
    check_lossless(read_robot(path, notes=[]))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_robot_model_is_what_the_file_says(path: Path):
    root = ElementTree.parse(path).getroot()
    body = read_robot(path, notes=[])
    model = build_model(body)
    masses = [float(mass.get("value")) for mass in root.iterfind("link/inertial/mass")]
    names = {joint.get("name") for joint in root.iterfind("joint") if joint.get("type") == "revolute"}
    assert model.body_mass.sum() == pytest.approx(sum(masses), rel=1e-12)
    assert set(body.joint_names) == {sanitised_name(name) for name in names}
    assert [model.joint(index).name for index in range(1, model.njnt)] == list(body.joint_names)
    assert [model.actuator(index).name for index in range(model.nu)] == list(body.joint_names)
    np.testing.assert_array_equal(model.actuator_gear[:, 0], body.effort_limits)
    np.testing.assert_array_equal(model.jnt_range[1:], body.joint_ranges)
    assert (joint_inertias(model) > 0).all()


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_robot_stands_free_of_the_ground(path: Path):
    body = read_robot(path, notes=[])
    model = build_model(body)
    data = mujoco.MjData(model)
    data.qpos[2] = body.standing_height + 1e-3
    mujoco.mj_forward(model, data)
    floor = model.geom("floor").id
    assert not any(floor in contact.geom and contact.dist < 0 for contact in data.contact)
    data.qpos[2] = body.standing_height - 1e-3
    mujoco.mj_forward(model, data)
    assert any(floor in contact.geom and contact.dist < 0 for contact in data.contact)


@pytest.mark.parametrize("seed", range(30))
def test_random_body_survives_urdf_and_json(seed: int):
    check_lossless(random_body(seed, limbs=1 + seed))


def test_long_chain_is_read():
    count = 400
    body = random_body(0, limbs=2)
    limbs = [body.limbs[0]]
    for index in range(1, count):
        hinge = body.limbs[1].hinges[0]
        limb = body.limbs[1]
        fields = {**vars(limb), "name": f"l{index}", "parent": index - 1}
        limbs.append(type(limb)(**{**fields, "hinges": (type(hinge)(**{**vars(hinge), "name": f"j{index}"}),)}))
    check_lossless(Morphology("chain", tuple(limbs)))
