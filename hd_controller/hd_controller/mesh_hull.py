"""Mesh files of a description: where they may be, and their convex hull, which is what physics collides."""

import os
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.errors import MorphologyError
from hd_controller.mesh_bounds import MeshBounds

MAX_MESH_BYTES = 50_000_000
FORMATS = (".stl", ".obj")
UNTOLD = "MuJoCo's compiler gave up without a reason"
"""Its binding raises a RuntimeError of no content where memory ends within the compiler, in place of a MemoryError."""


class RobotMeshes:
    """The hulls of one robot's meshes, within bounds on all of them together; each file is read once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._bounds = MeshBounds()
        self._hulls: dict[Path, np.ndarray] = {}

    def hull(self, uri: str, link_name: str) -> np.ndarray:
        """(N, 3) hull vertices of the mesh that a collision of the link names [file units].

        Raises:
            MorphologyError: as ``resolve_mesh`` and ``convex_hull``, or the robot's meshes are too much together.
        """
        path = resolve_mesh(uri, link_name, self._folder)
        where = f"the mesh '{uri[:120]}' of link '{link_name}'"
        if path not in self._hulls:
            self._bounds.add_bytes(path.stat().st_size, where)
            self._hulls[path] = convex_hull(path, link_name)
        self._bounds.add_shape(len(self._hulls[path]), where)
        return self._hulls[path]


def resolve_mesh(uri: str, link_name: str, folder: Path | None) -> Path:
    """The file a mesh URI names, looked for only in the robot's own folder and in installed packages.

    Args:
        uri: ``package://PACKAGE/path``, ``file://path`` or a path relative to ``folder``.
        link_name: for the error message.
        folder: folder of the robot file; None where the description came without one.

    Raises:
        MorphologyError: outside those folders, absent, too large or of a format physics cannot read.
    """
    where = f"The mesh '{uri[:120]}' of link '{link_name}'"
    scheme, _, rest = uri.rpartition("://")
    parts = [part for part in rest.split("/") if part not in ("", ".")]
    if scheme not in ("", "package", "file") or ".." in parts or not parts:
        raise MorphologyError(
            f"{where} cannot be used; expected package://, file:// or a path inside the robot's folder."
        )
    try:
        found = next((place for place in _candidates(scheme, rest, parts, folder) if place.is_file()), None)
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, a ring of links, a zero byte
        raise MorphologyError(f"{where} is no usable path ({error}); give the path of a mesh file.") from error
    if found is None:
        raise MorphologyError(
            f"{where} cannot be found; install the package that holds it or give the robot file with its folder."
        )
    return _checked(found, where)


def _candidates(scheme: str, rest: str, parts: list[str], folder: Path | None) -> list[Path]:
    """Where the file may be. In the robot's own folder, links must not lead out of it; packages are the operator's."""
    if scheme == "package":
        if len(parts) < 2:
            return []
        prefixes = [entry for entry in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if entry]
        installed = [Path(prefix) / "share" / parts[0] / Path(*parts[1:]) for prefix in prefixes]
        return installed + _within(_own_package(parts[0], folder), Path(*parts[1:]))
    absolute = scheme == "file" or rest.startswith("/")
    return _within(folder, Path("/", *parts) if absolute else Path(*parts))


def _within(folder: Path | None, path: Path) -> list[Path]:
    """The path below the folder (or absolute and in it), all links followed; nothing where it leads out."""
    if folder is None:
        return []
    real = (folder / path).resolve()
    return [real] if real.is_relative_to(folder.resolve()) else []


def _own_package(package: str, folder: Path | None) -> Path | None:
    """The folder of that name that the robot file lies in: its own folder, or a package with its package.xml."""
    if folder is None:
        return None
    own = folder.resolve()
    if own.name == package:
        return own
    return next((parent for parent in own.parents if parent.name == package and (parent / "package.xml").is_file()),
                None)


def _checked(path: Path, where: str) -> Path:
    if path.suffix.lower() not in FORMATS:
        raise MorphologyError(f"{where} has the format '{path.suffix}'; expected {' or '.join(FORMATS)}: convert it.")
    size = path.stat().st_size
    if size > MAX_MESH_BYTES:
        raise MorphologyError(f"{where} has {size} bytes; at most {MAX_MESH_BYTES} are read: simplify it.")
    return path


def convex_hull(path: Path, link_name: str) -> np.ndarray:
    """(N, 3) hull vertices of a mesh file [file units].

    Raises:
        MorphologyError: the file cannot be read as a mesh.
    """
    try:
        status = path.stat()
        return _hull(path, status.st_mtime_ns, status.st_size)
    except (ValueError, OSError, mujoco.FatalError) as error:
        reason = " ".join(str(error).split())
        raise MorphologyError(f"The mesh {path} of link '{link_name}' cannot be read ({reason}).") from error
    except RuntimeError as error:
        raise MemoryError(UNTOLD) from error


def _text_stl_points(content: bytes) -> np.ndarray | None:
    """(N, 3) vertices of an STL file in its text form, which the physics engine does not read; None for other files."""
    if not content.lstrip().startswith(b"solid") or b"vertex" not in content:
        return None
    if len(content) >= 84 and len(content) == 84 + 50 * int.from_bytes(content[80:84], "little"):
        return None  # a binary file whose comment happens to begin like a text file
    words = content.split()
    places = [place for place, word in enumerate(words) if word == b"vertex"]
    return np.array([[float(word) for word in words[place + 1 : place + 4]] for place in places])


@lru_cache(maxsize=64)
def _hull(path: Path, _modified_ns: int, _size: int) -> np.ndarray:
    """Hull of one state of a file; a file that changed is read again."""
    spec = mujoco.MjSpec()
    content = path.read_bytes()
    points = _text_stl_points(content) if path.suffix.lower() == ".stl" else None
    source = {"file": path.name} if points is None else {"uservert": np.unique(points, axis=0).ravel()}
    spec.add_mesh(name="mesh", inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX, **source)
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="mesh")
    spec.assets = {path.name: content} if points is None else {}
    model = spec.compile()
    graph = model.mesh_graph[model.mesh_graphadr[0] :]
    count = int(graph[0])
    vertices = model.mesh_vert[graph[2 + count : 2 + 2 * count]].astype(float)
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, model.mesh_quat[0])
    return vertices @ rotation.reshape(3, 3).T + model.mesh_pos[0]
