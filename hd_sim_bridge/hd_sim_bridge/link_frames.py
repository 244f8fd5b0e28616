"""Where all links of a URDF are, for /tf: the link frames of the file itself, not limb frames. Needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hd_controller.morphology import Morphology, sanitised_name
from hd_controller.rotations import matrix_from_axis_angle, matrix_from_rpy, quaternion_from_matrix
from hd_controller.urdf_rules import MOVING
from hd_controller.xml_document import parse_xml


@dataclass(frozen=True)
class LinkTransform:
    """Pose of a link in its parent's frame."""

    parent: str
    child: str
    position: np.ndarray
    """(3,) [m]"""
    orientation: np.ndarray
    """(4,) quaternion (w, x, y, z)"""


@dataclass(frozen=True)
class _Joint:
    parent: str
    child: str
    position: np.ndarray
    rotation: np.ndarray
    axis: np.ndarray
    index: int
    """Place among the body's joints; -1: fixed."""


class LinkFrames:
    """The tree of links, of a text that `read_urdf` has accepted as this body."""

    def __init__(self, text: str, morphology: Morphology) -> None:
        places = {name: place for place, name in enumerate(morphology.joint_names)}
        root = parse_xml(text)
        self._joints = [_joint(element, places) for element in root.findall("joint")]
        children = {joint.child: joint for joint in self._joints}
        links = [element.get("name") for element in root.findall("link")]
        self.root = next(name for name in links if name not in children)
        torso = next((name for name in links if sanitised_name(name) == morphology.limbs[0].name), self.root)
        self._torso_position, self._torso_rotation = np.zeros(3), np.eye(3)
        while torso in children:  # fixed joints only: the torso moves with the root
            joint = children[torso]
            self._torso_position = joint.position + joint.rotation @ self._torso_position
            self._torso_rotation = joint.rotation @ self._torso_rotation
            torso = joint.parent

    def root_pose(self, position: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position (3,) and rotation (3, 3) of the root link where the torso frame has this position and rotation."""
        turned = rotation @ self._torso_rotation.T
        return position - turned @ self._torso_position, turned

    def transforms(self, joint_positions: np.ndarray) -> list[LinkTransform]:
        """One for each joint of the file, fixed ones too, at joint positions (J,) [rad]."""
        return [LinkTransform(joint.parent, joint.child, joint.position, quaternion_from_matrix(
                joint.rotation if joint.index < 0 else
                joint.rotation @ matrix_from_axis_angle(joint.axis, float(joint_positions[joint.index]))))
                for joint in self._joints]


def _joint(element: object, places: dict[str, int]) -> _Joint:
    """A joint element of a checked document."""
    origin, axis = element.find("origin"), element.find("axis")
    moving = element.get("type") == MOVING
    direction = _numbers(axis, "xyz", "1 0 0")
    return _Joint(element.find("parent").get("link"), element.find("child").get("link"),
                  _numbers(origin, "xyz", "0 0 0"), matrix_from_rpy(tuple(_numbers(origin, "rpy", "0 0 0"))),
                  direction / np.linalg.norm(direction) if moving else direction,
                  places[sanitised_name(element.get("name"))] if moving else -1)


def _numbers(element: object, name: str, default: str) -> np.ndarray:
    """(3,) of an attribute; the default where element or attribute are absent."""
    text = default if element is None else element.get(name, default)
    return np.array([float(part) for part in text.split()])
