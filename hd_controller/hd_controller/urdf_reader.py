"""URDF text to Morphology.

The text is checked and stripped first (``xml_document``, ``urdf_rules``), then parsed by yourdfpy, then assembled.
"""

import io
import logging
from pathlib import Path

import numpy as np
import yourdfpy
from lxml import etree

from hd_controller import hd_extension
from hd_controller.body_assembly import Inertial, Joint, Link, assemble
from hd_controller.capsule_recognition import with_capsules
from hd_controller.errors import memory_refused
from hd_controller.mesh_hull import RobotMeshes
from hd_controller.morphology import Hinge, Morphology
from hd_controller.shapes import Box, Capsule, Cylinder, Mesh, Shape, Sphere
from hd_controller.urdf_rules import MOVING, cleaned
from hd_controller.xml_document import parse_xml

DEFAULT_VELOCITY_LIMIT = 100.0
"""Joint speed limit [rad/s] where a description gives none."""

_log = logging.getLogger("hd_controller.urdf_reader")


@memory_refused()
def read_urdf(text: str, *, folder: Path | None = None, notes: list[str] | None = None) -> Morphology:
    """The body described by a URDF.

    Args:
        text: the document; ``$(...)`` of xacro is not expanded.
        folder: where relative mesh files and the robot's own ``package://`` live; None for a text from a topic.
        notes: gets one sentence for each thing that was assumed; logged as warnings where None.

    Raises:
        MorphologyError: what cannot be represented, naming the link or joint and what to do; never a partial result.
    """
    root = parse_xml(text)
    extension = hd_extension.read(root)
    clean = cleaned(root)
    robot = _parsed(clean)
    found: list[str] = []
    meshes = RobotMeshes(folder)
    links = [_link(link, shapes, meshes) for link, shapes in zip(robot.links, clean.findall("link"), strict=True)]
    joints = [_joint(joint, extension) for joint in robot.joints]
    moving = [joint.name for joint in joints if joint.hinge is not None]
    found.extend(hd_extension.check_names(extension, moving))
    unlimited = [joint.name for joint in robot.joints if joint.type == MOVING and not joint.limit.velocity]
    if unlimited:
        found.append(
            f"{len(unlimited)} joints have no velocity limit ('{unlimited[0]}'...): "
            f"{DEFAULT_VELOCITY_LIMIT:g} rad/s is assumed."
        )
    body = assemble(robot.name, links, joints, found)
    for sentence in found:
        if notes is None:
            _log.warning(sentence)
        else:
            notes.append(sentence)
    return body


def _parsed(clean: etree._Element) -> yourdfpy.Robot:
    """The checked tree through yourdfpy, with capsules hidden from it (it does not know them)."""
    plain = etree.fromstring(etree.tostring(clean))
    for capsule in plain.iter("capsule"):
        capsule.tag = "cylinder"
    return yourdfpy.URDF.load(
        io.BytesIO(etree.tostring(plain)),
        build_scene_graph=False,
        load_meshes=False,
        build_collision_scene_graph=False,
        load_collision_meshes=False,
    ).robot


def _origin(matrix: np.ndarray | None) -> tuple[np.ndarray | None, np.ndarray]:
    """Rotation (None where it is exactly none) and translation of an origin."""
    if matrix is None:
        return None, np.zeros(3)
    rotation = matrix[:3, :3]
    return (None if np.array_equal(rotation, np.eye(3)) else rotation), matrix[:3, 3].copy()


def _link(link: yourdfpy.Link, element: etree._Element, meshes: RobotMeshes) -> Link:
    inertial = None
    if link.inertial is not None:
        rotation, com = _origin(link.inertial.origin)
        tensor = np.asarray(link.inertial.inertia, dtype=float)
        tensor = tensor if rotation is None else rotation @ tensor @ rotation.T
        inertial = Inertial(float(link.inertial.mass), com, tensor)
    elements = element.findall("collision")
    shapes = [_shape(entry, source, link.name, meshes) for entry, source in zip(link.collisions, elements, strict=True)]
    return Link(link.name, inertial, with_capsules(shapes, link.name))


def _rpy(element: etree._Element) -> tuple[float, float, float]:
    """Roll, pitch, yaw [rad] of an element's origin as the file gives them, so that they are kept bit by bit."""
    origin = element.find("origin")
    return (0.0, 0.0, 0.0) if origin is None else tuple(float(part) for part in origin.get("rpy", "0 0 0").split())


def _shape(collision: yourdfpy.Collision, element: etree._Element, link_name: str, meshes: RobotMeshes) -> Shape:
    rotation, center = _origin(collision.origin)
    geometry = collision.geometry
    tag = element.find("geometry")[0].tag
    place = tuple(float(value) for value in center)
    matrix = np.eye(3) if rotation is None else rotation
    rpy = _rpy(element)
    if geometry.sphere is not None:
        return Sphere(place, float(geometry.sphere.radius))
    if tag == "capsule":
        half = matrix[:, 2] * float(geometry.cylinder.length) / 2
        return Capsule(tuple(center - half), tuple(center + half), float(geometry.cylinder.radius))
    if geometry.cylinder is not None:
        return Cylinder(place, rpy, float(geometry.cylinder.radius), float(geometry.cylinder.length) / 2)
    if geometry.box is not None:
        return Box(place, rpy, tuple(float(value) / 2 for value in geometry.box.size))
    scale = np.ones(3) if geometry.mesh.scale is None else np.asarray(geometry.mesh.scale, dtype=float) * np.ones(3)
    points = meshes.hull(geometry.mesh.filename, link_name) * scale
    return Mesh(tuple(map(tuple, (points @ matrix.T + center).tolist())))


def _joint(joint: yourdfpy.Joint, extension: hd_extension.Extension) -> Joint:
    rotation, translation = _origin(joint.origin)
    hinge = None
    if joint.type == MOVING:
        damping = 0.0 if joint.dynamics is None else float(joint.dynamics.damping)
        extra = hd_extension.values_for(extension, joint.name, damping)
        velocity = joint.limit.velocity
        hinge = Hinge(
            name=joint.name,
            axis=_unit(joint.axis),
            lower=float(joint.limit.lower),
            upper=float(joint.limit.upper),
            effort_limit=float(joint.limit.effort),
            velocity_limit=float(velocity) if velocity else DEFAULT_VELOCITY_LIMIT,
            damping=damping,
            stiffness=extra.stiffness,
            armature=extra.armature,
        )
    return Joint(joint.name, joint.parent, joint.child, rotation, translation, hinge)


def _unit(axis: np.ndarray) -> tuple[float, float, float]:
    """The axis at length 1; one that has that length already is kept bit by bit."""
    length = float(np.linalg.norm(axis))
    scaled = np.asarray(axis, dtype=float) if abs(length - 1) < 1e-12 else np.asarray(axis, dtype=float) / length
    return tuple(float(value) for value in scaled)
