"""Damaged input of every kind: refused with the documented error, or a finite and bounded policy; in time and memory.

``fuzz_runner.py`` makes the cases; ``corpus/`` holds inputs that once got through or could not be told apart.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from bodies import random_body
from fuzz_properties import Budget, check_body, outcome
from hypernetworks import LinearHypernetwork, header_for, linear_generator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from onnx import TensorProto

from hd_controller.errors import MAX_SENTENCE, BundleError, HdError, MorphologyError
from hd_controller.generator_bundle import GeneratorBundle, save_generator_bundle
from hd_controller.joint_map import JointMap, StateError
from hd_controller.mesh_hull import resolve_mesh
from hd_controller.morphology import Morphology
from hd_controller.robot_file import read_robot
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf

HERE = Path(__file__).resolve().parent
KINDS = ("urdf", "mjcf", "mesh", "body", "policy", "bundle")
CORPUS = sorted((HERE / "corpus").iterdir())
assert CORPUS
ADDRESS_SPACE_BYTES = 12 * 2**30
BODY = random_body(4, limbs=3)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))


def fuzz(kinds: str, seed: int, count: int, timeout_s: float) -> dict[str, dict[str, int]]:
    """Counts by kind, from a process with bounded memory."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "fuzz_runner.py", kinds, str(seed), str(count)], cwd=HERE, capture_output=True,
        text=True, timeout=timeout_s, check=False, preexec_fn=_limit_memory)  # fmt: skip
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr[-8000:]}"
    return json.loads(done.stdout)


def test_damaged_input_of_every_kind():
    for kind, results in fuzz(",".join(KINDS), 100, 60, 300).items():
        assert sum(results.values()) == 60 and results["refused"] > 5, (kind, results)
        assert results.get("accepted", 0) > 0, (kind, results)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_much_damaged_input(kind: str):
    results = fuzz(kind, 200, 20_000, 7200)[kind]
    assert sum(results.values()) == 20_000 and min(results["refused"], results["accepted"]) > 100, results


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> GeneratorBundle:
    """A small random generator."""
    return linear_generator(tmp_path_factory.mktemp("generator"), [BODY])


@pytest.mark.parametrize("path", CORPUS, ids=[path.name for path in CORPUS])
def test_known_bad_files_are_refused_in_time(path: Path, tmp_path: Path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    budget = Budget()
    assert outcome(read_robot, copy) == "refused" or path.stem.startswith(("texture_of", "memory_of"))
    budget.check()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_any_text_in_any_attribute(generator: GeneratorBundle, data: some.DataObject):
    from lxml import etree

    root = etree.fromstring(write_urdf(BODY))
    elements = [element for element in root.iter(etree.Element) if element.attrib]
    element = data.draw(some.sampled_from(elements))
    name = data.draw(some.sampled_from(sorted(element.attrib)))
    letters = some.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
    numbers = some.floats(width=64).map(repr)
    element.set(name, data.draw(some.one_of(some.text(letters, max_size=30), numbers)))
    text = etree.tostring(root, encoding="unicode")
    outcome(lambda: check_body(read_urdf(text, notes=[]), generator))


JSON = some.recursive(some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=5),
                      lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner))


@settings(max_examples=100, deadline=None)
@given(value=JSON, key=some.sampled_from(["name", "parent", "position", "mass", "com", "inertia", "shapes", "hinges"]))
def test_any_json_in_a_stored_body(value: object, key: str):
    data = json.loads(BODY.to_json())
    data["limbs"][1][key] = value
    outcome(Morphology.from_json, json.dumps(data))
    outcome(Morphology.from_json, json.dumps(value))


def test_a_vector_that_is_a_number_is_refused():
    data = json.loads(random_body(8, limbs=9).to_json())
    shape = next(shape for limb in data["limbs"] for shape in limb["shapes"] if shape["type"] == "Capsule")
    shape["start"] = 0.5
    with pytest.raises(MorphologyError, match=r"0\.5 is no list of numbers"):
        Morphology.from_json(json.dumps(data))


@settings(max_examples=200, deadline=None)
@given(sentence=some.text())
def test_no_sentence_writes_more_than_one_printable_line(sentence: str):
    assert str(HdError(sentence)).isprintable()
    assert len(str(HdError(sentence * 2000))) <= 10 * (MAX_SENTENCE + 10)


def test_a_sentence_in_plain_words_is_kept():
    assert str(HdError("The mass of link 'leg' is 0 kg; größer als 0 °C")) == (
        "The mass of link 'leg' is 0 kg; größer als 0 °C")
    assert str(HdError("a\nb\x1b[31m\u202e")) == "a\\nb\\x1b[31m\\u202e"


def test_long_lists_of_joints_cost_nothing():
    joints = JointMap(["hip", "knee"])
    with pytest.raises(StateError, match="names 1000000 joints; the robot has 2"):
        joints.order(["hip"] * 1_000_000)


@pytest.fixture
def robot_folder(tmp_path: Path) -> Path:
    """home/robots/legs with a mesh inside, one outside, and links that lead out."""
    folder = tmp_path / "home" / "robots" / "legs"
    folder.mkdir(parents=True)
    outside = tmp_path / "home" / "outside.stl"
    for path in (folder / "inside.stl", outside):
        path.write_bytes(b"mesh")
    (folder / "link.stl").symlink_to(outside)
    (folder / "out").symlink_to(outside.parent)
    (folder / "ring.stl").symlink_to(folder / "ring.stl")
    (folder / "within.stl").symlink_to(folder / "inside.stl")
    return folder


@pytest.mark.parametrize("uri", ["inside.stl", "./inside.stl", "within.stl", "package://legs/inside.stl",
                                 "file://{folder}/inside.stl", "{folder}/inside.stl"])
def test_meshes_in_the_robots_folder_are_found(uri: str, robot_folder: Path):
    found = resolve_mesh(uri.format(folder=robot_folder), "leg", robot_folder)
    assert found.resolve() == robot_folder / "inside.stl"


@pytest.mark.parametrize("uri", [
    "../../outside.stl", "link.stl", "out/outside.stl", "ring.stl", "package://home/outside.stl",
    "package://legs/link.stl", "package://legs/../outside.stl", "package://legs", "package://", "file://", "",
    "file://{folder}/../../outside.stl", "file://{folder}/link.stl", "{folder}/out/outside.stl", "/etc/hostname",
    "file:///etc/hostname", "http://localhost/a.stl", "file://localhost/etc/hostname", "x" * 5000 + ".stl",
    "inside.stl\0", "package://hd_controller/" + "x" * 5000, "package://a://b/c.stl", "//inside.stl", "."])
def test_meshes_elsewhere_are_refused(uri: str, robot_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(robot_folder.parent))
    with pytest.raises(MorphologyError, match="The mesh"):
        resolve_mesh(uri.format(folder=robot_folder), "leg", robot_folder)


def test_a_package_above_the_robot_needs_its_package_xml(robot_folder: Path):
    with pytest.raises(MorphologyError, match="cannot be found"):
        resolve_mesh("package://home/outside.stl", "leg", robot_folder)
    (robot_folder.parents[1] / "package.xml").write_text("<package/>")
    assert resolve_mesh("package://home/outside.stl", "leg", robot_folder).name == "outside.stl"


def test_an_mjcf_mesh_is_read_from_its_own_folder_whatever_the_current_one(tmp_path: Path, monkeypatch):
    from fuzz_runner import MESH_MJCF, MESHES

    folder = tmp_path / "robot" / "meshes"
    folder.mkdir(parents=True)
    (folder / "leg.stl").write_bytes(MESHES[0][1])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leg.stl").write_bytes(b"another")
    robot = folder.parent / "robot.xml"
    robot.write_text(MESH_MJCF.replace("URI", "leg.stl").replace("<asset>", '<compiler meshdir="meshes"/><asset>'))
    assert len(read_robot(robot, notes=[]).limbs[1].shapes[0].vertices) == 4
    robot.write_text(MESH_MJCF.replace("URI", str(tmp_path / "leg.stl")))
    with pytest.raises(MorphologyError, match="cannot be found"):
        read_robot(robot)


def test_a_network_with_weights_in_another_file_is_refused(tmp_path: Path):
    (tmp_path / "secret").write_bytes(np.zeros(4, np.float32).tobytes())
    model = onnx.load_from_string(LinearHypernetwork.random(0).onnx())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", str(tmp_path / "secret")
    save_generator_bundle(tmp_path / "bundle", model.SerializeToString(), header_for([BODY]))
    with pytest.raises(BundleError, match="cannot be loaded by onnxruntime"):
        GeneratorBundle.load(tmp_path / "bundle")
