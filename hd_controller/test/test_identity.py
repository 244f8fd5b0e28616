"""Identities see the body, not its file; and every physical number of it."""

import dataclasses
import math

import numpy as np
import pytest
from bodies import own_robots, random_body
from lxml import etree
from urdf_samples import INERTIAL, collision, one_link

from hd_controller.errors import MorphologyError
from hd_controller.morphology import Limb, Morphology
from hd_controller.robot_file import read_robot
from hd_controller.rotations import matrix_from_rpy, rpy_from_matrix
from hd_controller.shapes import Box, Capsule, Cylinder
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf

BODY = random_body(7, limbs=6)


def with_limb(index: int, **changes: object) -> Morphology:
    """BODY with one limb changed."""
    limbs = list(BODY.limbs)
    limbs[index] = dataclasses.replace(limbs[index], **changes)
    return Morphology(BODY.name, tuple(limbs))


def with_hinge(**changes: object) -> Morphology:
    """BODY with the first hinge of its last limb changed."""
    hinges = list(BODY.limbs[-1].hinges)
    hinges[0] = dataclasses.replace(hinges[0], **changes)
    return with_limb(-1, hinges=tuple(hinges))


def renamed(body: Morphology, suffix: str) -> Morphology:
    """The body with other names of limbs and joints."""
    limbs = [
        dataclasses.replace(
            limb,
            name=limb.name + suffix,
            hinges=tuple(dataclasses.replace(hinge, name=hinge.name + suffix) for hinge in limb.hinges),
        )
        for limb in body.limbs
    ]
    return Morphology(body.name + suffix, tuple(limbs))


def reversed_file_order(body: Morphology) -> Morphology:
    """The body read from a file that lists its links and joints backwards."""
    root = etree.fromstring(write_urdf(body))
    for element in reversed(list(root)):
        root.append(element)
    return read_urdf(etree.tostring(root, encoding="unicode"), notes=[])


@pytest.mark.parametrize("seed", range(10))
def test_names_and_order_of_siblings_do_not_matter(seed: int):
    body = random_body(seed, limbs=10)
    assert renamed(body, "_x").body_id == body.body_id
    assert reversed_file_order(body).body_id == body.body_id


def test_robot_identity_knows_names_and_order():
    body = random_body(2, limbs=10)
    backwards = reversed_file_order(body)
    assert backwards.joint_names != body.joint_names
    assert len({body.robot_id, backwards.robot_id, renamed(body, "_x").robot_id}) == 3


def test_robot_identity_does_not_know_the_robots_name():
    assert Morphology("another", BODY.limbs).robot_id == BODY.robot_id


HINGE_CHANGES = {
    "lower": -0.05,
    "upper": 0.05,
    "effort_limit": 77.0,
    "velocity_limit": 7.7,
    "damping": 7.0,
    "stiffness": 7.0,
    "armature": 7.0,
    "axis": (0.6, 0.0, 0.8),
}
LIMB_CHANGES = {
    "mass": 9.0,
    "position": (0.1, 0.2, 0.3),
    "com": (0.1, 0.2, 0.3),
    "inertia": (1.0, 1.1, 1.2, 0.0, 0.0, 0.0),
    "shapes": (Capsule((0.0, 0.0, 0.0), (0.0, 0.0, 0.123), 0.04),),
}


@pytest.mark.parametrize("field", HINGE_CHANGES)
def test_every_number_of_a_hinge_matters(field: str):
    assert set(HINGE_CHANGES) | {"name"} == {entry.name for entry in dataclasses.fields(BODY.hinges[0])}
    assert with_hinge(**{field: HINGE_CHANGES[field]}).body_id != BODY.body_id


@pytest.mark.parametrize("index", [0, 3, 5])
@pytest.mark.parametrize("field", LIMB_CHANGES)
def test_every_number_of_a_limb_matters(field: str, index: int):
    assert set(LIMB_CHANGES) | {"name", "parent", "hinges"} == {entry.name for entry in dataclasses.fields(Limb)}
    assert with_limb(index, **{field: LIMB_CHANGES[field]}).body_id != BODY.body_id


def test_small_change_matters_and_rounding_does_not():
    mass = 2.0
    reference = with_limb(2, mass=mass).body_id
    assert with_limb(2, mass=mass + 2e-6).body_id != reference
    assert with_limb(2, mass=mass + 1e-9).body_id == reference


def test_parent_matters():
    torso, one, *_ = BODY.limbs
    two = dataclasses.replace(renamed(BODY, "_x").limbs[1], parent=0, position=(0.1, 0.1, 0.1))
    star = Morphology("star", (torso, one, two))
    chain = Morphology("chain", (torso, one, dataclasses.replace(two, parent=1)))
    assert star.body_id != chain.body_id


def with_shape(shape: object) -> Morphology:
    """A single limb of one shape."""
    limb = read_urdf(one_link(INERTIAL), notes=[]).limbs[0]
    return Morphology("shape", (dataclasses.replace(limb, shapes=(shape,)),))


def test_one_shape_written_in_several_ways_is_one_body():
    at, half = (0.1, 0.2, 0.3), (0.1, 0.2, 0.3)
    rpy = (0.4, math.pi / 2, 0.3)  # at gimbal lock only the difference of roll and yaw counts
    same = (0.0, math.pi / 2, -0.1)
    np.testing.assert_allclose(matrix_from_rpy(rpy), matrix_from_rpy(same), atol=1e-12)
    assert with_shape(Box(at, rpy, half)).body_id == with_shape(Box(at, same, half)).body_id
    turned = rpy_from_matrix(matrix_from_rpy(rpy) @ np.diag([-1.0, -1.0, 1.0]))
    assert with_shape(Box(at, turned, half)).body_id == with_shape(Box(at, rpy, half)).body_id
    swapped = rpy_from_matrix(matrix_from_rpy(rpy) @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    assert with_shape(Box(at, swapped, (0.2, 0.1, 0.3))).body_id == with_shape(Box(at, rpy, half)).body_id
    assert with_shape(Box(at, swapped, half)).body_id != with_shape(Box(at, rpy, half)).body_id
    spun = rpy_from_matrix(matrix_from_rpy((0.4, 0.5, 0.6)) @ matrix_from_rpy((math.pi, 0.0, 1.0)))
    first, second = Cylinder(at, (0.4, 0.5, 0.6), 0.1, 0.2), Cylinder(at, spun, 0.1, 0.2)
    assert with_shape(first).body_id == with_shape(second).body_id
    ends = (0.0, 0.0, 0.1), (0.0, 0.2, 0.4)
    assert with_shape(Capsule(*ends, 0.1)).body_id == with_shape(Capsule(*reversed(ends), 0.1)).body_id


def test_order_of_shapes_in_the_file_does_not_matter():
    shapes = [collision('<sphere radius="0.1"/>'), collision('<box size="1 1 1"/>')]
    bodies = [read_urdf(one_link(INERTIAL + "".join(order)), notes=[]) for order in (shapes, shapes[::-1])]
    assert bodies[0].body_id == bodies[1].body_id


def test_own_robots_are_different_bodies_and_two_share_their_joint_names():
    bodies = [read_robot(path, notes=[]) for path in own_robots()]
    assert len(bodies) >= 6
    assert len({body.body_id for body in bodies}) == len(bodies)
    assert len({body.joint_names for body in bodies}) < len(bodies)


DAMAGE = {
    "no json": lambda text: text[:-3],
    "nan": lambda text: text.replace('"mass":', '"mass":NaN,"m":', 1),
    "overflow": lambda text: text.replace('"mass":', '"mass":1e400,"m":', 1),
    "overflow in a shape": lambda text: text.replace('"radius":', '"radius":1e400,"r":', 1),
    "negative radius": lambda text: text.replace('"radius":', '"radius":-', 1),
    "text for a number": lambda text: text.replace('"mass":', '"mass":"much","m":', 1),
    "number for a name": lambda text: text.replace('"name":"torso"', '"name":5', 1),
    "null": lambda text: "null",
    "list": lambda text: "[]",
    "deep": lambda text: "[" * 100_000,
    "unknown shape": lambda text: text.replace('"type":"', '"type":"Cone', 1),
    "short axis": lambda text: text.replace('"axis":[', '"axis":[1.0],"a":[', 1),
    "short inertia": lambda text: text.replace('"inertia":[', '"inertia":[1.0],"i":[', 1),
    "own parent": lambda text: text.replace('"parent":0', '"parent":1', 1),
    "infinite parent": lambda text: text.replace('"parent":0', '"parent":1e400', 1),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_json_is_refused(case: str):
    text = random_body(5).to_json()
    damaged = DAMAGE[case](text)
    assert damaged != text
    with pytest.raises(MorphologyError):
        Morphology.from_json(damaged)
