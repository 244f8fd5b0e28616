"""Morphology to URDF text that ``read_urdf`` reads back exactly and every ROS tool accepts."""

import numpy as np
from lxml import etree

from hd_controller import hd_extension
from hd_controller.errors import MorphologyError
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.rotations import matrix_from_z_to, rpy_from_matrix
from hd_controller.shapes import Box, Capsule, Cylinder, Shape, Sphere

_COLOURS = {"torso": "0.85 0.45 0.2 1", "limb": "0.3 0.5 0.7 1"}


def _text(*values: float) -> str:
    """Shortest decimal text that gives the same floats back."""
    return " ".join(repr(float(value)) for value in values)


def write_urdf(morphology: Morphology) -> str:
    """URDF document of a body; limb frames become link frames, a two-hinge limb gets a massless link in between.

    Raises:
        MorphologyError: a shape is a mesh, which a URDF can only name as a file.
    """
    robot = etree.Element("robot", {"name": morphology.name})
    taken = {limb.name for limb in morphology.limbs}
    for index, limb in enumerate(morphology.limbs):
        parent = "" if index == 0 else morphology.limbs[limb.parent].name
        _write_joints(robot, limb, parent, taken)
        _write_link(robot, limb, "torso" if index == 0 else "limb")
    extension = etree.SubElement(robot, hd_extension.TAG, {"version": hd_extension.VERSION})
    for hinge in morphology.hinges:
        values = {"armature": _text(hinge.armature), "stiffness": _text(hinge.stiffness)}
        etree.SubElement(extension, "joint", {"name": hinge.name, **values})
    return etree.tostring(robot, pretty_print=True, encoding="unicode")


def _write_joints(robot: etree._Element, limb: Limb, parent: str, taken: set[str]) -> None:
    position = _text(*limb.position)
    for number, hinge in enumerate(limb.hinges):
        last = number == len(limb.hinges) - 1
        child = limb.name if last else f"{limb.name}__{hinge.name}"
        while not last and child in taken:
            child += "_"
        taken.add(child)
        _write_joint(robot, hinge, parent, child, position)
        if not last:
            etree.SubElement(robot, "link", {"name": child})
        parent, position = child, _text(0, 0, 0)


def _write_joint(robot: etree._Element, hinge: Hinge, parent: str, child: str, position: str) -> None:
    joint = etree.SubElement(robot, "joint", {"name": hinge.name, "type": "revolute"})
    etree.SubElement(joint, "origin", {"xyz": position, "rpy": "0 0 0"})
    etree.SubElement(joint, "parent", {"link": parent})
    etree.SubElement(joint, "child", {"link": child})
    etree.SubElement(joint, "axis", {"xyz": _text(*hinge.axis)})
    limits = {
        "lower": hinge.lower,
        "upper": hinge.upper,
        "effort": hinge.effort_limit,
        "velocity": hinge.velocity_limit,
    }
    etree.SubElement(joint, "limit", {key: _text(value) for key, value in limits.items()})
    etree.SubElement(joint, "dynamics", {"damping": _text(hinge.damping), "friction": "0.0"})


def _write_link(robot: etree._Element, limb: Limb, kind: str) -> None:
    link = etree.SubElement(robot, "link", {"name": limb.name})
    inertial = etree.SubElement(link, "inertial")
    etree.SubElement(inertial, "origin", {"xyz": _text(*limb.com), "rpy": "0 0 0"})
    etree.SubElement(inertial, "mass", {"value": _text(limb.mass)})
    names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    etree.SubElement(inertial, "inertia", {name: _text(value) for name, value in zip(names, limb.inertia, strict=True)})
    for role in ("visual", "collision"):
        for shape in limb.shapes:
            for center, rpy, tag, attributes in _primitives(shape, limb.name):
                element = etree.SubElement(link, role)
                etree.SubElement(element, "origin", {"xyz": _text(*center), "rpy": _text(*rpy)})
                etree.SubElement(etree.SubElement(element, "geometry"), tag, attributes)
                if role == "visual":
                    material = etree.SubElement(element, "material", {"name": f"hd_{kind}"})
                    etree.SubElement(material, "color", {"rgba": _COLOURS[kind]})


def _primitives(shape: Shape, limb_name: str) -> list[tuple[tuple, tuple, str, dict[str, str]]]:
    """(centre, rpy, tag, attributes) of the URDF shapes that make up one shape; a capsule is three."""
    none = (0.0, 0.0, 0.0)
    if isinstance(shape, Sphere):
        return [(shape.center, none, "sphere", {"radius": _text(shape.radius)})]
    if isinstance(shape, Box):
        return [(shape.center, shape.rpy, "box", {"size": _text(*(2 * half for half in shape.half_extents))})]
    if isinstance(shape, Cylinder):
        sizes = {"radius": _text(shape.radius), "length": _text(2 * shape.half_length)}
        return [(shape.center, shape.rpy, "cylinder", sizes)]
    if isinstance(shape, Capsule):
        start, end = np.asarray(shape.start), np.asarray(shape.end)
        length = float(np.linalg.norm(end - start))
        rpy = rpy_from_matrix(matrix_from_z_to((end - start) / length))
        sizes = {"radius": _text(shape.radius), "length": _text(length)}
        ball = {"radius": _text(shape.radius)}
        return [
            (tuple((start + end) / 2), rpy, "cylinder", sizes),
            (shape.start, none, "sphere", ball),
            (shape.end, none, "sphere", ball),
        ]
    raise MorphologyError(
        f"Limb '{limb_name}' has a mesh, which a URDF can only name as a file; use the original description."
    )
