"""What of an MJCF file reaches MuJoCo's compiler: the body and nothing that reads files, takes memory or loops.

The compiler itself reads any file that an element names, wherever it lies, and makes whatever size is asked for. So
scenery is dropped, meshes are found by this project's rules and handed over as bytes, and the rest is refused.
"""

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from hd_controller import mesh_bounds
from hd_controller.errors import MorphologyError
from hd_controller.mesh_hull import resolve_mesh
from hd_controller.urdf_rules import MAX_LINKS

_SCENERY = ("visual", "statistic", "custom", "sensor", "contact", "keyframe", "size", "option")
"""Sections that no body depends on."""
_SCENERY_ANYWHERE = ("material", "texture", "camera", "light")
_REFUSED = ("include", "plugin", "extension", "attach", "replicate", "model", "composite", "flexcomp", "flex", "skin",
            "hfield", "deformable")
_LOOPS = ("connect", "weld", "joint", "tendon", "flex", "flexvert", "flexstrain")
"""Children of <equality> that tie bodies or joints together."""
_FOLDERS = ("meshdir", "assetdir", "texturedir", "strippath")
_MOST = {"body": MAX_LINKS, "joint": 2 * MAX_LINKS, "geom": 8 * MAX_LINKS, "mesh": MAX_LINKS, "motor": 2 * MAX_LINKS}


@dataclass(frozen=True)
class CleanMjcf:
    """A document that names no file, and the bytes of its meshes by the names in it."""

    text: str
    assets: dict[str, bytes]


def cleaned_mjcf(root: etree._Element, path: Path) -> CleanMjcf:
    """The part of a parsed MJCF file that describes the body; ``root`` is changed.

    Raises:
        MorphologyError: an element that cannot be represented, too many of one kind, or a mesh outside the folder.
    """
    for tag in _REFUSED:
        if root.find(f".//{tag}") is not None:
            raise MorphologyError(f"{path.name} uses <{tag}>; expected a file that stands alone: expand it first.")
    for tag in _LOOPS:
        if root.find(f"equality/{tag}") is not None:
            raise MorphologyError(f"{path.name} has the equality <{tag}>; loops and coupled joints cannot be "
                                  "represented: expected a tree of independent hinges.")
    for tag, most in _MOST.items():
        if (count := sum(1 for _ in root.iter(tag))) > most:
            raise MorphologyError(f"{path.name} has {count} <{tag}> elements; at most {most} are read.")
    for element in [child for tag in _SCENERY for child in root.findall(tag)]:
        root.remove(element)
    for element in list(root.iter(*_SCENERY_ANYWHERE)):
        element.getparent().remove(element)
    for element in root.iter(etree.Element):
        element.attrib.pop("material", None)
    assets = _taken_meshes(root, path)
    for element in root.iter(etree.Element):
        if any("%" in value for value in element.attrib.values()):
            raise MorphologyError(f"{path.name} has the sign '%' in <{element.tag[:40]}>, which MuJoCo's compiler "
                                  "would take for a format when it complains; expected names and numbers without it.")
        if "file" in element.attrib and element.get("file") not in assets:
            raise MorphologyError(f"{path.name} names a file in <{element.tag[:40]}>; only meshes are read from files.")
    return CleanMjcf(etree.tostring(root, encoding="unicode"), assets)


def _taken_meshes(root: etree._Element, path: Path) -> dict[str, bytes]:
    """Bytes of the meshes by new names, which take the place of the paths in the document."""
    folder = ""
    for compiler in root.iter("compiler"):
        folder = compiler.get("meshdir", compiler.get("assetdir", folder))
        for attribute in _FOLDERS:
            compiler.attrib.pop(attribute, None)
    bounds = mesh_bounds.MeshBounds(mesh_bounds.MAX_BYTES_AT_ONCE)
    files: dict[Path, bytes] = {}
    assets: dict[str, bytes] = {}
    for number, mesh in enumerate(root.findall("asset/mesh")):
        if mesh.get("builtin") is not None:
            raise MorphologyError(f"{path.name} has a mesh made by a function ('{mesh.get('builtin')}'); expected "
                                  "vertices or a file.")
        source = mesh.get("file")
        if source is None:
            continue
        mesh.set("name", mesh.get("name") or Path(source).stem)
        file = resolve_mesh(f"{folder.rstrip('/')}/{source}" if folder else source, mesh.get("name"), path.parent)
        name = f"mesh_{number}{file.suffix.lower()}"
        bounds.add_bytes(file.stat().st_size, f"the mesh '{source[:120]}' of {path.name}")
        if file not in files:
            files[file] = file.read_bytes()
        assets[name] = files[file]
        mesh.set("file", name)
        mesh.attrib.pop("content_type", None)
    return assets
