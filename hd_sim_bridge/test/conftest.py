"""Fixtures of the bridge's tests."""

import pytest

from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.shapes import Capsule, Sphere


@pytest.fixture
def body() -> Morphology:
    """A ball with one leg of two hinges and one of one hinge."""
    common = {"lower": -1.0, "upper": 1.0, "effort_limit": 100.0, "velocity_limit": 20.0, "damping": 1.0}
    common["armature"] = 0.1
    leg = Capsule((0.0, 0.0, 0.0), (0.1, 0.0, -0.3), 0.05)
    inertia = (0.05, 0.05, 0.02, 0.0, 0.0, 0.0)
    return Morphology("sample", (
        Limb("torso", -1, (0.0, 0.0, 0.0), 10.0, (0.0, 0.0, 0.0), (0.1, 0.1, 0.1, 0.0, 0.0, 0.0),
             (Sphere((0.0, 0.0, 0.0), 0.15),), ()),
        Limb("front", 0, (0.15, 0.0, 0.0), 3.0, (0.05, 0.0, -0.15), inertia, (leg,),
             (Hinge("front_x", (1.0, 0.0, 0.0), **common), Hinge("front_y", (0.0, 1.0, 0.0), **common))),
        Limb("back", 0, (-0.15, 0.0, 0.0), 3.0, (0.05, 0.0, -0.15), inertia, (leg,),
             (Hinge("back_y", (0.0, 1.0, 0.0), **common),)),
    ))
