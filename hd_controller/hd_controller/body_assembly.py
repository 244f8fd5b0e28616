"""From links and joints in a file's own frames to a Morphology in limb frames.

Fixed joints are fused first, then a link without inertial and geometry between two hinges becomes part of a two-hinge
limb, and at last every limb is turned into torso-parallel axes.
"""

from dataclasses import dataclass, field

import numpy as np

from hd_controller.errors import MorphologyError
from hd_controller.morphology import Hinge, Limb, Morphology, sanitised_name
from hd_controller.shapes import Shape, transform_shape

COINCIDENT = 1e-6
"""Two hinges of one limb share their origin within this distance [m]."""


@dataclass(frozen=True)
class Inertial:
    """Mass, centre of mass and tensor about it, in the axes of the frame it is given in."""

    mass: float
    com: np.ndarray
    inertia: np.ndarray


@dataclass
class Link:
    """A body of the file in its own link frame; ``inertial`` is None where the file gives none."""

    name: str
    inertial: Inertial | None = None
    shapes: list[Shape] = field(default_factory=list)


@dataclass(frozen=True)
class Joint:
    """A connection: child point = rotation @ point + translation in the parent's link frame.

    ``rotation`` is None for none at all; ``hinge`` is None for a fixed joint, its axis is in the child's link frame.
    """

    name: str
    parent: str
    child: str
    rotation: np.ndarray | None
    translation: np.ndarray
    hinge: Hinge | None


def _compose(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    if first is None or second is None:
        return second if first is None else first
    return first @ second


def _turn(rotation: np.ndarray | None, vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector, dtype=float) if rotation is None else rotation @ vector


def _moved_inertial(inertial: Inertial, rotation: np.ndarray | None, translation: np.ndarray) -> Inertial:
    tensor = inertial.inertia if rotation is None else rotation @ inertial.inertia @ rotation.T
    return Inertial(inertial.mass, _turn(rotation, inertial.com) + translation, tensor)


def _merged(parts: list[Inertial]) -> Inertial | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    mass = sum(part.mass for part in parts)
    if not mass > 0:
        return Inertial(0.0, np.zeros(3), np.zeros((3, 3)))
    com = sum(part.mass * part.com for part in parts) / mass
    tensor = np.zeros((3, 3))
    for part in parts:
        offset = part.com - com
        tensor = tensor + part.inertia + part.mass * (offset @ offset * np.eye(3) - np.outer(offset, offset))
    return Inertial(mass, com, tensor)


@dataclass
class _Group:
    """Links fused by fixed joints, in the frame of the first; ``below`` are its moving joints in that frame."""

    name: str
    inertials: list[Inertial]
    shapes: list[Shape]
    below: list[Joint]

    @property
    def bare(self) -> bool:
        return not self.inertials and not self.shapes


def _root(links: dict[str, Link], joints: list[Joint]) -> str:
    parent_of: dict[str, str] = {}
    for joint in joints:
        for role, name in (("parent", joint.parent), ("child", joint.child)):
            if name not in links:
                raise MorphologyError(f"Joint '{joint.name}' names the {role} link '{name}', which does not exist.")
        if joint.child in parent_of:
            raise MorphologyError(
                f"Link '{joint.child}' has two parents ('{parent_of[joint.child]}' and '{joint.parent}'); "
                "kinematic loops cannot be represented: expected a tree."
            )
        parent_of[joint.child] = joint.parent
    roots = [name for name in links if name not in parent_of]
    if not roots:
        raise MorphologyError("The links form a loop; expected a tree with one root link.")
    if len(roots) > 1:
        raise MorphologyError(
            f"The robot has {len(roots)} root links ('{roots[0]}', '{roots[1]}'...); connect them by joints."
        )
    return roots[0]


def _torso(root: str, links: dict[str, Link], children: dict[str, list[Joint]]) -> str:
    """The link whose frame is the torso's: the root, or the first below it that is not a mere frame.

    A link with neither inertial nor collision shape that carries one fixed joint and nothing else, such as
    ``base_footprint`` on the ground, only says where the body is.
    """
    name, moved = root, False
    while links[name].inertial is None and not links[name].shapes:
        below = children[name]
        if len(below) != 1 or below[0].hinge is not None:
            return root
        name = below[0].child
        moved = moved or below[0].rotation is not None or bool(np.linalg.norm(below[0].translation) > COINCIDENT)
    return name if moved else root


class _Assembler:
    def __init__(self, links: list[Link], joints: list[Joint]) -> None:
        self.links = {link.name: link for link in links}
        self.root = _root(self.links, joints)
        self.children: dict[str, list[Joint]] = {link.name: [] for link in links}
        for joint in joints:
            self.children[joint.parent].append(joint)
        self._check_connected()
        self.torso = _torso(self.root, self.links, self.children)
        self.limbs: list[Limb] = []
        self.waiting: list[tuple[Joint, int, np.ndarray | None]] = []

    def _check_connected(self) -> None:
        seen, stack = set(), [self.root]
        while stack:
            name = stack.pop()
            seen.add(name)
            stack.extend(joint.child for joint in self.children[name])
        lost = sorted(set(self.links) - seen)
        if lost:
            raise MorphologyError(f"Link '{lost[0]}' is part of a loop; expected a tree with one root link.")

    def group(self, name: str) -> _Group:
        """The link and all that is fixed to it."""
        merged = _Group(name, [], [], [])
        stack: list[tuple[str, np.ndarray | None, np.ndarray]] = [(name, None, np.zeros(3))]
        while stack:
            link_name, rotation, translation = stack.pop()
            link = self.links[link_name]
            if link.inertial is not None:
                merged.inertials.append(_moved_inertial(link.inertial, rotation, translation))
            merged.shapes.extend(transform_shape(shape, rotation, translation) for shape in link.shapes)
            fixed = []
            for joint in self.children[link_name]:
                place = (_compose(rotation, joint.rotation), _turn(rotation, joint.translation) + translation)
                if joint.hinge is None:
                    fixed.append((joint.child, *place))
                else:
                    merged.below.append(Joint(joint.name, name, joint.child, *place, joint.hinge))
            stack.extend(reversed(fixed))
        return merged

    def add(self, group: _Group, parent: int, position: np.ndarray, axes: np.ndarray | None, hinges: tuple) -> None:
        """Append the limb of a group and note the joints below it; ``axes`` turns the group's axes to the torso's."""
        inertial = _merged(group.inertials)
        if inertial is None or not inertial.mass > 0:
            raise MorphologyError(
                f"Link '{group.name}' has no mass; only the link between the two joints of a two-hinge limb may have "
                "none (no inertial, no geometry, coincident origins): give it an <inertial> with mass and inertia."
            )
        inertial = _moved_inertial(inertial, axes, np.zeros(3))
        tensor = inertial.inertia
        index = len(self.limbs)
        self.limbs.append(
            Limb(
                name=sanitised_name(group.name),
                parent=parent,
                position=_floats(position),
                mass=float(inertial.mass),
                com=_floats(inertial.com),
                inertia=_floats(tensor[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]),
                shapes=tuple(transform_shape(shape, axes, np.zeros(3)) for shape in group.shapes),
                hinges=hinges,
            )
        )
        self.waiting.extend((joint, index, axes) for joint in reversed(group.below))

    def add_all(self) -> None:
        """The torso, then all limbs depth-first; without recursion, since a chain may be long."""
        self.add(self.group(self.torso), -1, np.zeros(3), None, ())
        while self.waiting:
            self.add_below(*self.waiting.pop())

    def add_below(self, joint: Joint, parent: int, axes: np.ndarray | None) -> None:
        """The limb behind a moving joint, with a second hinge where a bare link asks for it."""
        position = _turn(axes, joint.translation)
        axes = _compose(axes, joint.rotation)
        hinges = [_turned_hinge(joint.hinge, axes)]
        group = self.group(joint.child)
        if group.bare and len(group.below) == 1:
            second = group.below[0]
            if np.linalg.norm(second.translation) > COINCIDENT:
                raise MorphologyError(
                    f"Link '{group.name}' has no mass and its two joints '{joint.name}' and '{second.name}' lie "
                    f"{np.linalg.norm(second.translation):.3g} m apart; expected coincident origins, or a mass."
                )
            axes = _compose(axes, second.rotation)
            hinges.append(_turned_hinge(second.hinge, axes))
            if np.linalg.norm(np.cross(hinges[0].axis, hinges[1].axis)) < 1e-3:
                raise MorphologyError(
                    f"The joints '{joint.name}' and '{second.name}' of one limb have parallel axes; "
                    "expected two different axes."
                )
            group = self.group(second.child)
            if group.bare and len(group.below) == 1:
                raise MorphologyError(
                    f"Link '{group.name}' would get three hinges ('{joint.name}', '{second.name}', "
                    f"'{group.below[0].name}'); a limb has at most two: give a link between them mass and inertia."
                )
        self.add(group, parent, position, axes, tuple(hinges))


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) + 0.0 for value in values)


def _turned_hinge(hinge: Hinge, axes: np.ndarray | None) -> Hinge:
    return Hinge(**{**vars(hinge), "name": sanitised_name(hinge.name), "axis": _floats(_turn(axes, hinge.axis))})


def assemble(name: str, links: list[Link], joints: list[Joint], notes: list[str] | None = None) -> Morphology:
    """The body made of links and joints given in file order; ``notes`` gets what is assumed of them.

    Raises:
        MorphologyError: not a tree with one root, a massless link that is no part of a two-hinge limb, three hinges
            on a limb, or what ``Morphology`` refuses.
    """
    assembler = _Assembler(links, joints)
    assembler.add_all()
    if notes is not None and assembler.torso != assembler.root:
        notes.append(f"The root link '{assembler.root}' is a frame without mass and collision shape: the torso is link "
                     f"'{assembler.torso}', whose pose odom must give.")
    return Morphology(sanitised_name(name) or "robot", tuple(assembler.limbs))
