"""Frames, names and the order of siblings belong to a file, not to a robot: changing them changes no effort."""

from collections.abc import Callable

import numpy as np
import pytest
from bodies import own_robots, random_body, random_rotation
from hypernetworks import linear_generator
from lxml import etree

from hd_controller.control_loop import ControlLoop
from hd_controller.generator import generate_policy
from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.observation import OBSERVATION_SIZE, Origin
from hd_controller.rotations import matrix_from_rpy, rpy_from_matrix
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf

TOLERANCE = 1e-6


def _origin(parent: etree._Element) -> etree._Element:
    found = parent.find("origin")
    return etree.SubElement(parent, "origin") if found is None else found


def _vector(element: etree._Element, key: str) -> np.ndarray:
    return np.array([float(part) for part in element.get(key, "0 0 0").split()])


def _set(element: etree._Element, key: str, values: np.ndarray) -> None:
    element.set(key, " ".join(repr(float(value)) for value in values))


def _turn_content(element: etree._Element, back: np.ndarray) -> None:
    """Express an inertial or collision in a link frame that was turned; ``back`` takes old axes to new ones."""
    origin = _origin(element)
    _set(origin, "xyz", back @ _vector(origin, "xyz"))
    _set(origin, "rpy", rpy_from_matrix(back @ matrix_from_rpy(_vector(origin, "rpy"))))


def turn_link_frames(root: etree._Element, random: np.random.Generator) -> None:
    """Turn the frame of every link but the root at random, with everything that is expressed in it."""
    children = {joint.find("child").get("link") for joint in root.iterfind("joint")}
    turns = {name: random_rotation(random) for name in children}
    for link in root.iterfind("link"):
        back = turns.get(link.get("name"), np.eye(3)).T
        for element in (*link.iterfind("inertial"), *link.iterfind("collision")):
            _turn_content(element, back)
    for joint in root.iterfind("joint"):
        before = turns.get(joint.find("parent").get("link"), np.eye(3))
        after = turns[joint.find("child").get("link")]
        origin, axis = _origin(joint), joint.find("axis")
        _set(origin, "xyz", before.T @ _vector(origin, "xyz"))
        _set(origin, "rpy", rpy_from_matrix(before.T @ matrix_from_rpy(_vector(origin, "rpy")) @ after))
        if axis is not None:
            _set(axis, "xyz", after.T @ _vector(axis, "xyz"))


def shuffle(root: etree._Element, random: np.random.Generator) -> None:
    """Put links and joints into a random order in the file."""
    elements = list(root)
    for place in random.permutation(len(elements)):
        root.append(elements[place])


def rename(root: etree._Element, _random: np.random.Generator) -> None:
    """Give every link and joint another name, in reverse alphabetical order of the old ones."""
    for kind, references in (("link", ("parent", "child")), ("joint", ())):
        old = sorted(element.get("name") for element in root.iterfind(kind))
        new = {name: f"{kind}_{len(old) - place:03d}" for place, name in enumerate(old)}
        for element in root.iterfind(kind):
            element.set("name", new[element.get("name")])
        for reference in references:
            for element in root.iterfind(f"joint/{reference}"):
                element.set("link", new[element.get("link")])
        if kind == "joint":
            for element in root.iterfind("hd_morphology/joint"):
                element.set("name", new[element.get("name")])


def everything(root: etree._Element, random: np.random.Generator) -> None:
    """All three."""
    turn_link_frames(root, random)
    shuffle(root, random)
    rename(root, random)


def random_state(random: np.random.Generator, ranges: np.ndarray) -> RobotState:
    """A state within the joint ranges."""
    quaternion = random.normal(size=4)
    return RobotState(
        stamp_ns=0,
        position=random.normal(size=3),
        orientation=quaternion / np.linalg.norm(quaternion),
        linear_velocity=random.normal(size=3),
        angular_velocity=random.normal(size=3),
        joint_positions=random.uniform(ranges[:, 0], ranges[:, 1]),
        joint_velocities=random.normal(size=len(ranges)),
    )


def _matching(old_text: str, new_text: str, change: Callable) -> tuple[np.ndarray, np.ndarray]:
    """For each limb and joint of the new body its index in the old one, known from the names."""
    old, new = read_urdf(old_text, notes=[]), read_urdf(new_text, notes=[])
    if change in (rename, everything):
        names = {kind: _renamed(old_text, kind) for kind in ("link", "joint")}
    else:
        names = {"link": {}, "joint": {}}
    limbs = [limb.name for limb in new.limbs]
    joints = list(new.joint_names)
    limb_order = [limbs.index(names["link"].get(limb.name, limb.name)) for limb in old.limbs]
    joint_order = [joints.index(names["joint"].get(name, name)) for name in old.joint_names]
    return np.argsort(limb_order), np.argsort(joint_order)


def _renamed(text: str, kind: str) -> dict[str, str]:
    before, after = etree.fromstring(text), etree.fromstring(text)
    rename(after, np.random.default_rng(0))
    pairs = zip(before.iterfind(kind), after.iterfind(kind), strict=True)
    return {old.get("name"): new.get("name") for old, new in pairs}


def _texts() -> list:
    texts = [pytest.param(path.read_text(), id=path.stem) for path in own_robots()]
    return texts + [pytest.param(write_urdf(random_body(seed)), id=f"random_{seed}") for seed in range(6)]


@pytest.mark.parametrize("change", [turn_link_frames, shuffle, rename, everything], ids=lambda change: change.__name__)
@pytest.mark.parametrize("text", _texts())
def test_observation_policy_and_efforts_stay(text: str, change: Callable, tmp_path):
    random = np.random.default_rng(1)
    root = etree.fromstring(text)
    change(root, random)
    changed = etree.tostring(root, encoding="unicode")
    old, new = read_urdf(text, notes=[]), read_urdf(changed, notes=[])
    limb_of, joint_of = _matching(text, changed, change)
    assert new.body_id == old.body_id
    generator = linear_generator(tmp_path, [old])
    old_bundle, new_bundle = generate_policy(text, generator), generate_policy(changed, generator)
    _check_layers(old_bundle.layers, new_bundle.layers, limb_of)
    old_loop, new_loop = ControlLoop(old_bundle), ControlLoop(new_bundle)
    old_sight, new_sight = Kinematics(old), Kinematics(new)
    for number in range(5):
        state = random_state(random, old.joint_ranges)
        moved = RobotState(
            **{
                **vars(state),
                "joint_positions": state.joint_positions[joint_of],
                "joint_velocities": state.joint_velocities[joint_of],
            }
        )
        if number == 0:
            old_loop.reset(state)
            new_loop.reset(moved)
        origin = Origin(0.3, -0.2, 0.7)
        np.testing.assert_allclose(
            new_sight.observe(moved, origin), old_sight.observe(state, origin)[limb_of], rtol=0, atol=TOLERANCE
        )
        efforts = old_loop.step(state)[joint_of]
        assert (np.abs(new_loop.step(moved) - efforts) <= TOLERANCE * np.maximum(1, new.effort_limits)).all()
        assert np.unique(efforts).size > 1 or efforts.size == 1


def _check_layers(old: list, new: list, limb_of: np.ndarray) -> None:
    """The generated weights are the same, limb by limb."""
    count = len(limb_of)
    inputs = old[0][0].reshape(count, OBSERVATION_SIZE, -1)[limb_of].reshape(old[0][0].shape)
    np.testing.assert_allclose(new[0][0], inputs, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(new[0][1], old[0][1], rtol=0, atol=TOLERANCE)
    outputs = old[-1][0].reshape(-1, count, 2)[:, limb_of].reshape(old[-1][0].shape)
    np.testing.assert_allclose(new[-1][0], outputs, rtol=0, atol=TOLERANCE)
