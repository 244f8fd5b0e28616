"""What a robot may have in all: shapes in a time that grows with their number, meshes within bounds, memory refused."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fuzz_runner import MESH_MJCF, MESHES
from urdf_samples import INERTIAL, collision, one_link

from hd_controller import capsule_recognition, mesh_bounds, mesh_hull, mjcf_reader, robot_file, urdf_reader
from hd_controller.capsule_recognition import MAX_TOGETHER, with_capsules
from hd_controller.errors import MorphologyError
from hd_controller.morphology import Morphology
from hd_controller.robot_file import read_robot
from hd_controller.shapes import Box, Capsule, Cylinder, Shape, Sphere
from hd_controller.urdf_reader import read_urdf

STL = MESHES[0][1]
NONE = (0.0, 0.0, 0.0)


def _ladder(rungs: int) -> list[Shape]:
    """Cylinders of 1 m, and as many spheres that close none of them, but for the first, which two of them close."""
    cylinders = [Cylinder((0.0, 0.0, float(rung)), NONE, 0.1, 0.5) for rung in range(rungs)]
    ends = [Sphere((0.0, 0.0, -0.5), 0.1), Sphere((0.0, 0.0, 0.5), 0.1)]
    return [*cylinders, *ends, *(Sphere((9.0, 0.0, float(rung)), 0.1) for rung in range(rungs - 2))]


def _spheres_looked_at(rungs: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Spheres that all searches of one link compare with an end."""
    looked_at, whole = [], np.concatenate

    def counted(parts: list[np.ndarray]) -> np.ndarray:
        looked_at.append(sum(map(len, parts)))
        return whole(parts)

    with monkeypatch.context() as patch:
        patch.setattr(capsule_recognition.np, "concatenate", counted)
        found = with_capsules(_ladder(rungs), "torso")
    assert found[0] == Capsule((0.0, 0.0, -0.5), (0.0, 0.0, 0.5), 0.1) and len(found) == 2 * rungs - 2
    return sum(looked_at)


def test_the_search_for_capsules_looks_at_the_spheres_nearby_alone(monkeypatch: pytest.MonkeyPatch):
    few, many = _spheres_looked_at(20, monkeypatch), _spheres_looked_at(2000, monkeypatch)
    assert 2 <= few == many <= 4


def test_spheres_in_one_another_are_refused():
    spheres = [Sphere((0.0, 0.0, 5e-6), 0.1 + 0.1 * number) for number in range(MAX_TOGETHER)]
    assert with_capsules(spheres, "leg") == spheres
    with pytest.raises(MorphologyError, match=r"Link 'leg' has 65 collision spheres within 0\.01 mm; at most 64 are"):
        with_capsules([*spheres, spheres[0]], "leg")


def _end(z: float, radius: float = 0.1) -> Sphere:
    return Sphere((0.0, 0.0, z), radius)


ROD = Cylinder(NONE, NONE, 0.1, 0.5)
BLOCK = Box(NONE, NONE, (1.0, 1.0, 1.0))
ROWS = {
    "behind": ([ROD, _end(0.5), BLOCK, _end(-0.5)], [(0.5, -0.5), BLOCK]),
    "before": ([_end(-0.5), _end(0.5), ROD], [(-0.5, 0.5)]),
    "behind comes first": ([_end(-0.5), _end(0.5), ROD, _end(-0.5), _end(0.5)], [_end(-0.5), _end(0.5), (-0.5, 0.5)]),
    "nearest first": ([_end(-0.5), _end(-0.5), ROD, _end(0.5)], [_end(-0.5), (-0.5, 0.5)]),
    "within the tolerance, over the edge of a cube": ([ROD, _end(-0.5 - 9e-7), _end(0.5 + 9e-7)],
                                                      [(-0.5 - 9e-7, 0.5 + 9e-7)]),
    "beyond": ([ROD, _end(-0.5), _end(0.5 + 1.1e-6)], None),
    "another radius": ([ROD, _end(-0.5), _end(0.5, 0.100002)], None),
    "one end is given back": ([Cylinder((0.0, 0.0, -1.0), NONE, 0.1, 0.5), ROD, _end(-0.5), _end(0.5)],
                              [Cylinder((0.0, 0.0, -1.0), NONE, 0.1, 0.5), (-0.5, 0.5)]),
    "no sphere is both ends": ([Cylinder(NONE, NONE, 0.1, 1e-7), _end(0.0)], None),
    "two": ([ROD, ROD, _end(-0.5), _end(0.5), _end(-0.5), _end(0.5)], [(-0.5, 0.5), (-0.5, 0.5)]),
}


@pytest.mark.parametrize("row", ROWS)
def test_which_spheres_close_a_cylinder(row: str):
    shapes, wanted = ROWS[row]
    capsules = [Capsule((0.0, 0.0, part[0]), (0.0, 0.0, part[1]), 0.1) if isinstance(part, tuple) else part
                for part in (shapes if wanted is None else wanted)]
    assert with_capsules(shapes, "leg") == capsules


def _urdf(folder: Path, files: list[str]) -> Morphology:
    """A robot with one collision for each of the files, all of which are made where absent."""
    for name in files:
        (folder / name).write_bytes(STL)
    meshes = "".join(collision(f'<mesh filename="{name}"/>') for name in files)
    (folder / "robot.urdf").write_text(one_link(INERTIAL + meshes))
    return read_robot(folder / "robot.urdf", notes=[])


def _mjcf(folder: Path, files: list[str]) -> Morphology:
    """The same in an MJCF file."""
    for name in files:
        (folder / name).write_bytes(STL)
    meshes = "".join(f'<mesh name="m{number}" file="{name}"/>' for number, name in enumerate(files))
    geoms = "".join(f'<geom type="mesh" mesh="m{number}"/>' for number in range(len(files)))
    text = MESH_MJCF.replace('<mesh name="m" file="URI"/>', meshes).replace('<geom type="mesh" mesh="m"/>', geoms)
    (folder / "robot.xml").write_text(text)
    return read_robot(folder / "robot.xml", notes=[])


@pytest.mark.parametrize("read", [_urdf, _mjcf])
@pytest.mark.parametrize(("name", "most", "sentence"), [
    ("MAX_SHAPES", 3, r"has 4 collision meshes; at most 3 are read: use fewer, or boxes"),
    ("MAX_VERTICES", 12, r"have 16 vertices in all; at most 12 are read: simplify them"),
])
def test_mesh_shapes_of_one_robot_are_bounded(read: Callable, name: str, most: int, sentence: str, tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mesh_bounds, name, most)
    read(tmp_path, ["a.stl"] * 3)
    with pytest.raises(MorphologyError, match=sentence) as refusal:
        read(tmp_path, ["a.stl"] * 4)
    assert str(tmp_path) in str(refusal.value)


def test_mesh_files_of_a_urdf_are_bounded_in_all_and_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mesh_bounds, "MAX_BYTES", 2 * len(STL))
    _urdf(tmp_path, ["a.stl", "b.stl"] * 3)
    with pytest.raises(MorphologyError, match=rf"With the mesh 'c.stl' of link 'torso' the meshes of the robot have "
                                              rf"{3 * len(STL)} bytes in all; at most {2 * len(STL)} are read"):
        _urdf(tmp_path, ["a.stl", "b.stl", "c.stl"])


def test_meshes_of_an_mjcf_file_are_counted_as_often_as_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mesh_bounds, "MAX_BYTES_AT_ONCE", 3 * len(STL))
    _mjcf(tmp_path, ["a.stl"] * 3)
    with pytest.raises(MorphologyError, match=rf"With the mesh 'a.stl' of robot.xml the meshes of the robot have "
                                              rf"{4 * len(STL)} bytes in all"):
        _mjcf(tmp_path, ["a.stl"] * 4)


@pytest.mark.parametrize("read", [_urdf, _mjcf])
def test_a_mesh_file_is_read_once_however_often_it_is_named(read: Callable, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch):
    names, whole = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: names.append(path.name) or whole(path))
    monkeypatch.setattr(mesh_hull, "_hull", mesh_hull._hull.__wrapped__)  # that cache holds 64 files
    read(tmp_path, ["a.stl", "b.stl", "a.stl", "b.stl"])
    assert names == ["a.stl", "b.stl"]


def _no_memory(*_arguments: object, **_keywords: object) -> None:
    raise MemoryError


@pytest.mark.parametrize(("module", "name", "read"), [
    (urdf_reader, "assemble", _urdf), (mesh_hull, "_text_stl_points", _urdf), (robot_file, "parse_xml", _urdf),
    (mjcf_reader, "cleaned_mjcf", _mjcf), (mjcf_reader, "assemble", _mjcf),
])
def test_lack_of_memory_is_a_refusal_that_names_the_file(module: object, name: str, read: Callable, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, name, _no_memory)
    with pytest.raises(MorphologyError, match=r"/robot\..*: The robot description needs more memory, with its meshes,"):
        read(tmp_path, ["memory.stl"])


@pytest.mark.parametrize(("read", "method"), [(_urdf, "add_mesh"), (_mjcf, "from_xml_string")])
def test_lack_of_memory_within_the_compiler_is_a_refusal(read: Callable, method: str, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch):
    def compiler(*_arguments: object, **_keywords: object) -> None:
        raise RuntimeError("Caught an unknown exception!")  # what its binding makes of it

    owner = SimpleNamespace(**{method: compiler})
    monkeypatch.setattr(mesh_hull.mujoco, "MjSpec", lambda: owner)
    monkeypatch.setattr(mjcf_reader.mujoco, "MjModel", owner)
    with pytest.raises(MorphologyError, match="needs more memory, with its meshes,"):
        read(tmp_path, ["compiler.stl"])


def test_lack_of_memory_for_a_text_is_a_refusal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(urdf_reader, "parse_xml", _no_memory)
    with pytest.raises(MorphologyError, match="needs more memory"):
        read_urdf(one_link(INERTIAL))


def test_the_description_node_outlives_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    from rclpy.parameter import Parameter

    from hd_controller import description_node

    monkeypatch.setattr(description_node, "description_text", _no_memory)
    refusals: list[str] = []
    result = description_node.DescriptionNode._check(SimpleNamespace(_refuse=refusals.append),
                                                     [Parameter("robot", value="hexapod")])
    assert not result.successful and "needs more memory" in result.reason and len(refusals) == 1
