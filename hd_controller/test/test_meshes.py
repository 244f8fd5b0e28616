"""Mesh files: where they may be, which are refused, and the hull they become."""

import numpy as np
import pytest
from urdf_samples import mesh_robot

from hd_controller.errors import MorphologyError
from hd_controller.mujoco_model import build_model
from hd_controller.shapes import Mesh
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf

MESHES = {
    "not there": (
        "legs/a.stl",
        "The mesh 'legs/a.stl' of link 'torso' cannot be found; install the package that holds it",
    ),
    "outside": ("file:///etc/passwd", "The mesh 'file:///etc/passwd' of link 'torso' cannot be found"),
    "outside by path": ("/etc/passwd", "The mesh '/etc/passwd' of link 'torso' cannot be found"),
    "up": (
        "../a.stl",
        "The mesh '../a.stl' of link 'torso' cannot be used; expected package://, file:// or a path inside",
    ),
    "up in package": ("package://p/../a.stl", "of link 'torso' cannot be used; expected package://, file:// or a path"),
    "network": (
        "http://example.org/a.stl",
        "The mesh 'http://example.org/a.stl' of link 'torso' cannot be used; expected",
    ),
    "unknown package": (
        "package://nowhere/a.stl",
        "The mesh 'package://nowhere/a.stl' of link 'torso' cannot be found",
    ),
    "package only": ("package://nowhere", "The mesh 'package://nowhere' of link 'torso' cannot be found"),
    "collada": (
        "there.dae",
        "The mesh 'there.dae' of link 'torso' has the format '.dae'; expected .stl or .obj: convert it.",
    ),
    "no mesh inside": ("bad.stl", "of link 'torso' cannot be read ("),
    "text without points": ("words.stl", "of link 'torso' cannot be read ("),
}


@pytest.mark.parametrize("case", MESHES)
@pytest.mark.parametrize("with_folder", [True, False])
def test_mesh_refused(case: str, with_folder: bool, tmp_path, monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    filename, sentence = MESHES[case]
    (tmp_path / "robot").mkdir()
    (tmp_path / "a.stl").write_bytes(b"")
    (tmp_path / "robot" / "there.dae").write_text("<COLLADA/>")
    (tmp_path / "robot" / "bad.stl").write_bytes(b"\x00" * 200)
    (tmp_path / "robot" / "words.stl").write_text("solid a\nvertex 1 2 x\nendsolid")
    with pytest.raises(MorphologyError) as refusal:
        read_urdf(mesh_robot(filename), folder=tmp_path / "robot" if with_folder else None, notes=[])
    if with_folder or "://" in filename or ".." in filename:
        assert sentence in str(refusal.value)
    else:
        assert "cannot be found; install the package that holds it" in str(refusal.value)
    assert "\n" not in str(refusal.value) and str(refusal.value).count("The mesh") == 1


def tetrahedron_text() -> str:
    """A text STL of the tetrahedron on the unit axes."""
    points = ["0 0 0", "1 0 0", "0 1 0", "0 0 1"]
    faces = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
    lines = ["solid tetrahedron"]
    for face in faces:
        lines += ["facet normal 0 0 0", "outer loop", *(f"vertex {points[n]}" for n in face), "endloop", "endfacet"]
    return "\n".join([*lines, "endsolid", ""])


def tetrahedron_object() -> str:
    """The same as OBJ."""
    return "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


def tetrahedron_binary() -> bytes:
    """The same as binary STL, with a comment that begins like a text file."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype="<f4")
    faces = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
    triangles = [np.zeros(3, "<f4").tobytes() + points[list(face)].tobytes() + b"\0\0" for face in faces]
    return b"solid vertex".ljust(80) + len(faces).to_bytes(4, "little") + b"".join(triangles)


@pytest.mark.parametrize("name", ["text.stl", "binary.stl", "object.obj"])
@pytest.mark.parametrize(
    "form", ["{name}", "file://{folder}/{name}", "package://robot/{name}", "package://other/{name}"]
)
def test_mesh_becomes_its_hull(name: str, form: str, tmp_path, monkeypatch):
    folder, installed = tmp_path / "robot", tmp_path / "prefix" / "share" / "other"
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"))
    for place in (folder, installed):
        place.mkdir(parents=True)
        (place / "text.stl").write_text(tetrahedron_text())
        (place / "binary.stl").write_bytes(tetrahedron_binary())
        (place / "object.obj").write_text(tetrahedron_object())
    text = mesh_robot(form.format(name=name, folder=folder), "2 2 -2")
    body = read_urdf(text, folder=folder, notes=[])
    (shape,) = body.limbs[0].shapes
    assert isinstance(shape, Mesh)
    expected = [[0, 0, -2], [0, 0, 0], [0, 2, 0], [2, 0, 0]]
    np.testing.assert_allclose(sorted(np.round(shape.vertices, 6).tolist()), expected, atol=1e-6)
    assert body.standing_height == pytest.approx(2.0, abs=1e-6)
    build_model(body)
    with pytest.raises(MorphologyError, match="Limb 'torso' has a mesh"):
        write_urdf(body)


def test_changed_mesh_file_is_read_again(tmp_path):
    file = tmp_path / "a.obj"
    file.write_text(tetrahedron_object())
    before = read_urdf(mesh_robot("a.obj"), folder=tmp_path, notes=[])
    file.write_text(tetrahedron_object().replace("v 0 0 1", "v 0 0 3.5"))
    after = read_urdf(mesh_robot("a.obj"), folder=tmp_path, notes=[])
    assert before.body_id != after.body_id
