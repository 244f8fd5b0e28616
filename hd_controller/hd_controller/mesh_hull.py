"""Mesh files of a description: where they may be, and their convex hull, which is what physics collides."""

import os
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.errors import MorphologyError

MAX_MESH_BYTES = 50_000_000
FORMATS = (".stl", ".obj")


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
    parts = [part for part in rest.split("/") if part]
    if scheme not in ("", "package", "file") or ".." in parts or not parts:
        raise MorphologyError(
            f"{where} cannot be used; expected package://, file:// or a path inside the robot's folder."
        )
    if scheme == "package":
        candidates = [base / Path(*parts[1:]) for base in _package_folders(parts[0], folder) if len(parts) > 1]
    elif folder is None:
        candidates = []
    else:
        path = Path(rest) if scheme == "file" or rest.startswith("/") else folder / rest
        candidates = [path] if path.resolve().is_relative_to(folder.resolve()) else []
    for candidate in candidates:
        if candidate.is_file():
            return _checked(candidate, where)
    raise MorphologyError(
        f"{where} cannot be found; install the package that holds it or give the robot file with its folder."
    )


def _package_folders(package: str, folder: Path | None) -> list[Path]:
    prefixes = [entry for entry in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if entry]
    folders = [Path(prefix) / "share" / package for prefix in prefixes]
    if folder is not None:
        folders += [parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.name == package]
    return folders


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
