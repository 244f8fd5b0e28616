"""Context features against numbers worked out by hand."""

import math

import numpy as np
import pytest
from bodies import own_robots, random_body

from hd_controller.context import CONTEXT_SIZE, FEATURE_NAMES, context_features, limb_capsule
from hd_controller.joint_slots import assign_slots
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.robot_file import read_robot
from hd_controller.shapes import Box, Capsule, Sphere, equivalent_capsule


def capsule_inertia(mass: float, radius: float, length: float) -> np.ndarray:
    """Tensor of a uniform capsule along z by numerical integration over thin discs."""
    z, step = np.linspace(-length / 2 - radius, length / 2 + radius, 400_001, retstep=True)
    beyond = np.clip(np.abs(z) - length / 2, 0, radius)
    square = radius**2 - beyond**2
    disc = math.pi * square * step
    disc *= mass / disc.sum()
    axial = (disc * square / 2).sum()
    transverse = (disc * (square / 4 + z**2)).sum()
    return np.diag([transverse, transverse, axial])


@pytest.mark.parametrize(("radius", "length"), [(0.05, 0.25), (0.05, 0.45), (0.1, 0.01), (0.02, 2.0), (0.3, 0.3)])
def test_equivalent_capsule_recovers_a_capsule(radius: float, length: float):
    found = equivalent_capsule(3.0, capsule_inertia(3.0, radius, length))
    assert found == pytest.approx((radius, length), rel=1e-4)


def test_equivalent_capsule_of_a_ball():
    radius, length = equivalent_capsule(2.0, np.eye(3) * 0.4 * 2.0 * 0.1**2)
    assert (radius, length) == pytest.approx((0.1, 0.0), abs=1e-9)


def test_equivalent_capsule_of_extremes_is_finite():
    for moments in ([1e-9, 1.0, 1.0], [1.0, 1.0, 2.0], [1e-12, 1e-12, 1e-12]):
        assert np.isfinite(equivalent_capsule(1.0, np.diag(moments))).all()


def leg(shapes: tuple, hinges: tuple) -> Limb:
    """A limb that reaches 0.3 m down and 0.4 m ahead."""
    return Limb(
        "leg", 0, (0.1, 0.2, -0.3), 2.0, (0.2, 0.0, -0.15), (0.03, 0.02, 0.025, 1e-3, 2e-3, 3e-3), shapes, hinges
    )


def body(shapes: tuple, hinges: tuple) -> Morphology:
    """A torso, a leg, and a second leg below it."""
    torso = Limb(
        "torso", -1, (0.0, 0.0, 0.0), 5.0, (0.0, 0.0, 0.0), (0.1,) * 3 + (0.0,) * 3, (Sphere((0, 0, 0), 0.15),)
    )
    knee = Hinge("knee", (0.0, 1.0, 0.0), 0.0, 1.0, 20.0, 5.0, damping=0.5)
    shank = Limb("shank", 1, (0.4, 0.0, -0.3), 1.0, (0.0, 0.0, 0.0), (0.1,) * 3 + (0.0,) * 3, (), (knee,))
    return Morphology("by_hand", (torso, leg(shapes, hinges), shank))


def test_features_by_hand():
    hinges = (
        Hinge("first", (0.0, 1.0, 0.0), -0.5, 1.5, 30.0, 5.0, damping=0.7, stiffness=9.0, armature=9.0),
        Hinge("second", (0.6, 0.0, 0.8), -1.0, 0.25, 40.0, 5.0, damping=0.2),
    )
    capsule = Capsule((0.0, 0.0, 0.0), (0.4, 0.0, -0.3), 0.05)
    rows = context_features(body((capsule,), hinges))
    assert rows.shape == (3, CONTEXT_SIZE) == (3, len(FEATURE_NAMES)) == (3, 29)
    # The limb points along (0.8, 0, -0.6): slot 1 is the hinge about y, the other takes slot 0.
    expected = [0.1, 0.2, -0.3, 0.8, 0, -0.6, 0.5, 0.05, 2.0, 0.03, 0.02, 0.025, 1e-3, 2e-3, 3e-3]
    expected += [0.6, 0, 0.8, -1.0, 0.25, 40.0, 0.2, 0, 1, 0, -0.5, 1.5, 30.0, 0.7]
    np.testing.assert_allclose(rows[1], expected, rtol=0, atol=1e-12)
    # Two anchors down the chain; a centre of mass on the anchor counts as pointing down; y is slot 1; no shape.
    assert rows[2, :6] == pytest.approx([0.5, 0.2, -0.6, 0, 0, -1])
    assert rows[2, 15:22] == pytest.approx([0] * 7)
    assert rows[2, 22:] == pytest.approx([0, 1, 0, 0, 1, 20, 0.5])
    # The torso: a ball without joints.
    assert rows[0] == pytest.approx([0, 0, 0, 0, 0, -1, 0, 0.15, 5, 0.1, 0.1, 0.1, 0, 0, 0] + [0] * 14)


def test_other_shapes_give_the_equivalent_capsule():
    hinge = (Hinge("first", (0.0, 1.0, 0.0), -0.5, 1.5, 30.0, 5.0),)
    box, two = Box((0, 0, 0), (0, 0, 0), (1, 1, 1)), (Sphere((0, 0, 0), 0.1), Sphere((0, 0, 1), 0.1))
    for shapes in ((box,), two, ()):
        limb = leg(shapes, hinge)
        assert limb_capsule(limb) == equivalent_capsule(limb.mass, limb.inertia_matrix)
        radius, length = limb_capsule(limb)
        assert radius > 0
        assert length >= 0


@pytest.mark.parametrize(
    ("com", "axes", "slots"),
    [
        ((0, 0, -1), [(1, 0, 0)], (0,)),
        ((0, 0, -1), [(0, 1, 0)], (1,)),
        ((0, 0, -1), [(0, -1, 0), (1, 0, 0)], (1, 0)),
        ((0, 0, 0), [(1, 0, 0), (0, 1, 0)], (0, 1)),
        ((0, 0, 1), [(1, 0, 0), (0, 1, 0)], (0, 1)),
        # pointing along +x the frame is turned by 90 degrees about y: its x axis is the world's z
        ((1, 0, 0), [(0, 0, 1)], (0,)),
        ((1, 0, 0), [(0, 1, 0)], (1,)),
        # ties and axes along the limb go to slot 0
        ((0, 0, -1), [(math.sqrt(0.5), math.sqrt(0.5), 0)], (0,)),
        ((0, 0, -1), [(math.sqrt(0.5) - 1e-9, math.sqrt(0.5) + 1e-9, 0)], (0,)),
        ((0, 0, -1), [(0, 0, 1)], (0,)),
        ((0, 0, -1), [(0.8, 0.6, 0), (1, 0, 0)], (1, 0)),
        ((0, 0, -1), [], ()),
    ],
)
def test_slots_by_hand(com: tuple, axes: list, slots: tuple):
    assert assign_slots(com, axes) == slots


@pytest.mark.parametrize("path", own_robots(), ids=lambda path: path.stem)
def test_own_robots_have_finite_features_without_spawn_height(path):
    morphology = read_robot(path, notes=[])
    features = context_features(morphology)
    assert features.shape == (len(morphology.limbs), CONTEXT_SIZE)
    assert np.isfinite(features).all()
    assert (features[0, :3] == 0).all()


def test_features_are_a_new_array():
    morphology = random_body(0)
    first = context_features(morphology)
    first[:] = 0
    assert context_features(morphology).any()
