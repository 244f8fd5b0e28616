"""Exported policies, ONNX and C, against the numpy controller: every shipped robot, random observations and states."""

import dataclasses
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from bodies import own_robots, random_body
from compiled_policy import COMPILER, CompiledPolicy
from hypernetworks import linear_generator

from hd_controller import export_policy
from hd_controller.c_export import c_number, c_sources
from hd_controller.control_loop import ControlLoop
from hd_controller.description_hash import description_sha256
from hd_controller.description_source import description_text
from hd_controller.errors import HdError
from hd_controller.export_policy import TOLERANCE, largest_difference, random_observations
from hd_controller.exported_layers import raw_actions
from hd_controller.generator import generate_policy
from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.observation import Origin
from hd_controller.onnx_export import LIMB_OBSERVATIONS, onnx_metadata, onnx_model
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.policy_source import policy_of
from hd_controller.urdf_writer import write_urdf

ROBOTS = own_robots()
assert ROBOTS
NAMES = [path.stem for path in ROBOTS]
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="needs gcc")


@cache
def policy(name: str) -> PolicyBundle:
    """The shipped generator's policy of a shipped robot."""
    return policy_of(name)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory):
    """Name -> program, each compiled once."""
    programs: dict[str, CompiledPolicy] = {}

    def program(name: str) -> CompiledPolicy:
        if name not in programs:
            programs[name] = CompiledPolicy(c_sources(policy(name), "leg"), "leg", tmp_path_factory.mktemp(name))
        return programs[name]

    return program


def limited(bundle: PolicyBundle, actions: np.ndarray) -> np.ndarray:
    """Efforts of raw actions."""
    return np.clip(actions, -1, 1) * bundle.effort_limits


@pytest.mark.parametrize("name", NAMES)
def test_onnx_equals_the_controller(name: str):
    bundle = policy(name)
    observations = random_observations(bundle, 500, seed=1)
    session = onnxruntime.InferenceSession(onnx_model(bundle), providers=["CPUExecutionProvider"])
    actions, efforts = session.run(["actions", "efforts"], {"observation": observations})
    assert largest_difference(bundle, observations, actions) <= TOLERANCE
    np.testing.assert_allclose(efforts, limited(bundle, actions), rtol=1e-6)
    one = session.run(["actions"], {"observation": observations[:1]})[0]
    np.testing.assert_allclose(one, actions[:1], atol=TOLERANCE, rtol=TOLERANCE)
    assert (np.abs(actions) > 1).any()  # clipping had something to do
    properties = session.get_modelmeta().custom_metadata_map
    assert properties == onnx_metadata(bundle)
    assert json.loads(properties["joint_names"]) == list(bundle.joint_names)
    assert len(LIMB_OBSERVATIONS) == observations.shape[2]


@needs_compiler
@pytest.mark.parametrize("name", NAMES)
def test_c_equals_the_controller(name: str, compiled):
    bundle = policy(name)
    observations = random_observations(bundle, 500, seed=2)
    good, actions, efforts = compiled(name).act(observations)
    assert (good == 1).all()
    assert largest_difference(bundle, observations, actions) <= TOLERANCE
    np.testing.assert_allclose(efforts, limited(bundle, actions), rtol=1e-6)
    assert (np.abs(actions) > 1).any()


def random_states(bundle: PolicyBundle, count: int) -> np.ndarray:
    """(count, 2, 13 + 2 J) float32: pairs of states, of the activation and of now."""
    random = np.random.default_rng(3)
    joints = len(bundle.joint_names)
    states = random.normal(size=(count, 2, 13 + 2 * joints))
    states[..., 3:7] /= np.linalg.norm(states[..., 3:7], axis=-1, keepdims=True)
    low, high = bundle.morphology.joint_ranges.T
    states[..., 13 : 13 + joints] = random.uniform(low, high, (count, 2, joints))
    states[..., 13 + joints :] *= 5.0
    return states.astype(np.float32)


def robot_state(row: np.ndarray) -> RobotState:
    """A row of ``random_states``."""
    values = row.astype(float)
    positions, velocities = np.split(values[13:], 2)
    return RobotState(0, values[0:3], values[3:7], values[7:10], values[10:13], positions, velocities)


@needs_compiler
@pytest.mark.parametrize("name", NAMES)
def test_kinematics_in_c_equal_the_controllers(name: str, compiled):
    bundle = policy(name)
    states = random_states(bundle, 100)
    got = compiled(name).observe(states)
    kinematics = Kinematics(bundle.morphology)
    for (first, now), row in zip(states, got, strict=True):
        origin = Origin.from_pose(first[:3], first[3:7])
        wanted = kinematics.observe(robot_state(now), origin).ravel()
        np.testing.assert_allclose(row, wanted, atol=1e-4, rtol=1e-4)


@needs_compiler
def test_kinematics_in_c_of_any_tree(tmp_path: Path):
    body = random_body(7, limbs=14)
    bundle = generate_policy(write_urdf(body), linear_generator(tmp_path / "generator", [body]))
    program = CompiledPolicy(c_sources(bundle), "hd_policy", tmp_path)
    states = random_states(bundle, 200)
    kinematics = Kinematics(bundle.morphology)
    for (first, now), row in zip(states, program.observe(states), strict=True):
        origin = Origin.from_pose(first[:3], first[3:7])
        wanted = kinematics.observe(robot_state(now), origin).ravel()
        np.testing.assert_allclose(row, wanted, atol=1e-4, rtol=1e-4)


@needs_compiler
def test_what_is_not_finite_ends_in_zero_efforts(compiled):
    bundle = policy("tripod")
    observations = random_observations(bundle, 4)
    observations[1].flat[-1] = np.nan
    observations[2].flat[5] = np.inf
    good, actions, efforts = compiled("tripod").act(observations)
    assert good.tolist() == [1, 0, 0, 1]
    assert not efforts[1:3].any() and not actions[1:3].any() and efforts[0].all()


@needs_compiler
def test_the_example_runs_and_prints_what_the_controller_computes(compiled):
    bundle = policy("quadruped")
    joints = len(bundle.joint_names)
    height = bundle.morphology.standing_height
    state = RobotState(0, np.array([0, 0, height]), np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3),
                       bundle.morphology.rest_positions, np.zeros(joints))
    loop = ControlLoop(bundle)
    loop.reset(state)
    lines = [line.split() for line in compiled("quadruped").example().splitlines()]
    assert [line[0] for line in lines] == list(bundle.joint_names)
    np.testing.assert_allclose([float(line[1]) for line in lines], loop.step(state), rtol=1e-3, atol=1e-2)


def test_numbers_survive_as_text():
    values = np.random.default_rng(0).normal(size=2000).astype(np.float32)
    values = np.concatenate([values, np.float32([0, 1, -1, 1e9, 1e-30, 100, 16777216])])
    assert all(np.float32(c_number(value).rstrip("f")) == value for value in values)
    assert (c_number(1), c_number(1e9), c_number(-0.5)) == ("1.0f", "1e+09f", "-0.5f")


def test_every_source_leads_to_the_same_policy(tmp_path: Path):
    bundle = policy("tripod")
    bundle.save(tmp_path / "tripod.npz")
    file = next(path for path in ROBOTS if path.stem == "tripod")
    for source in (str(file), str(tmp_path / "tripod.npz")):
        assert policy_of(source).checksum == bundle.checksum


MESHES_BESIDE = """<robot name="one">
<link name="torso">{inertial}<collision><geometry><sphere radius="0.1"/></geometry></collision></link>
<link name="leg">{inertial}<collision><geometry><mesh filename="leg.stl"/></geometry></collision></link>
<joint name="hip" type="revolute"><parent link="torso"/><child link="leg"/><axis xyz="0 1 0"/>
<limit lower="-1" upper="1" effort="50" velocity="20"/></joint></robot>""".format(
    inertial='<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>')


def test_a_robot_with_meshes_beside_its_file_has_a_policy_and_no_text(tmp_path: Path):
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, -0.3]], dtype="<f4")
    faces = [corners[list(face)] for face in ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))]
    rows = b"".join(bytes(12) + face.tobytes() + bytes(2) for face in faces)
    (tmp_path / "leg.stl").write_bytes(bytes(80) + len(faces).to_bytes(4, "little") + rows)
    file = tmp_path / "one.urdf"
    file.write_text(MESHES_BESIDE)
    bundle = policy_of(str(file))
    assert bundle.joint_names == ("hip",)
    assert bundle.description_sha256 == description_sha256(MESHES_BESIDE)
    with pytest.raises(HdError, match=r"meshes are files beside it.*package://PACKAGE/FILE"):
        description_text(str(file))


@pytest.mark.parametrize(("kind", "files"), [
    ("onnx", ["out"]), ("npz", ["out"]), ("c", ["out/hd_policy.c", "out/hd_policy.h", "out/hd_policy_example.c"])])
def test_command_writes_files(kind: str, files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture):
    assert export_policy.main(["tripod", "--format", kind, "--out", str(tmp_path / "out")]) == 0
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert written == files
    assert all(str(tmp_path / name) in capsys.readouterr().out for name in files[:1])


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["nobody", "--format", "c"], "robot 'nobody' is neither a file nor a shipped robot"),
    (["nobody.npz", "--format", "c"], "nobody.npz cannot be read"),
    (["tripod", "--format", "c", "--prefix", "2 legs"], "expected a lower-case C name"),
    (["tripod", "--format", "c", "--generator", "/nowhere"], "neither a folder nor a shipped generator"),
    (["tripod", "--format", "onnx", "--out", "/nowhere/at/all.onnx"], "/nowhere/at/all.onnx cannot be written"),
    (["tripod", "--format", "onnx", "--out", ""], "'.' is no name of a file"),
    (["tripod", "--format", "npz", "--out", "/"], "'/' is no name of a file"),
])
def test_refusals_are_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture):
    assert export_policy.main(arguments) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("error: ") and sentence in errors and errors.count("\n") == 1


def test_the_line_to_try_works_in_a_folder_with_spaces(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert export_policy.main(["tripod", "--format", "c", "--out", str(tmp_path / "two words")]) == 0
    line = capsys.readouterr().out.splitlines()[-1].removeprefix("try it: ")
    assert subprocess.run(line, shell=True, capture_output=True, check=True).stdout


def test_without_onnx_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(HdError, match=r"package onnx, which is not installed here; install it \(python3 -m pip"):
        onnx_model(policy("tripod"))


def test_a_robot_without_joints_is_refused(tmp_path: Path):
    body = random_body(1, limbs=1)
    bundle = generate_policy(write_urdf(body), linear_generator(tmp_path, [random_body(2)]))
    for export in (onnx_model, c_sources):
        with pytest.raises(HdError, match="has no joints; there is nothing to control"):
            export(bundle)


def test_reference_is_what_the_control_loop_clips():
    bundle = policy("hexapod")
    states = random_states(bundle, 5)
    loop, kinematics = ControlLoop(bundle), Kinematics(bundle.morphology)
    for first, now in states:
        loop.reset(robot_state(first))
        observation = kinematics.observe(robot_state(now), Origin.from_pose(first[:3], first[3:7]))
        np.testing.assert_allclose(limited(bundle, raw_actions(bundle, observation)), loop.step(robot_state(now)),
                                   rtol=1e-5, atol=1e-4)


def test_a_deviation_beyond_float32_is_refused():
    bundle = policy("tripod")
    tiny = bundle.observation_std.copy()
    tiny[3] = 1e-42
    for export in (onnx_model, c_sources):
        with pytest.raises(HdError, match="too small for float32"):
            export(dataclasses.replace(bundle, observation_std=tiny))
