"""The coverage report says what of a body lies outside the trained range, and nothing else."""

import dataclasses
import json

import numpy as np
import pytest
from bodies import own_robots, random_body

from hd_controller.coverage import TOLERANCE, coverage_report, trained_ranges
from hd_controller.morphology import Morphology
from hd_controller.robot_file import read_robot
from hd_controller.shapes import Box, Capsule

BODIES = [random_body(seed, limbs=6) for seed in range(5)]
RANGES = trained_ranges(BODIES)


def scaled(body: Morphology, **factors: float) -> Morphology:
    """The body with fields of its last limb's first hinge multiplied."""
    limb = body.limbs[-1]
    changes = {name: getattr(limb.hinges[0], name) * factor for name, factor in factors.items()}
    hinges = (dataclasses.replace(limb.hinges[0], **changes), *limb.hinges[1:])
    return Morphology(body.name, (*body.limbs[:-1], dataclasses.replace(limb, hinges=hinges)))


def test_training_bodies_are_inside():
    for body in BODIES:
        report = coverage_report(body, RANGES)
        assert report["in_distribution"] is True
        assert report["outside"] == []
        assert report["share_inside"] == 1.0


def test_ranges_and_reports_are_json():
    ranges = json.loads(json.dumps(RANGES, allow_nan=False))
    report = coverage_report(random_body(99, limbs=20), ranges)
    assert report == coverage_report(random_body(99, limbs=20), RANGES)
    json.dumps(report, allow_nan=False)


def test_ranges_by_hand():
    assert RANGES["limbs"] == [6, 6]
    masses = [sum(limb.mass for limb in body.limbs) for body in BODIES]
    assert RANGES["mass"] == pytest.approx([min(masses), max(masses)])
    efforts = [hinge.effort_limit for body in BODIES for hinge in body.hinges]
    ranges = [RANGES["features"][f"slot{slot}_effort_limit"] for slot in range(2)]
    assert min(low for low, _ in ranges) == min(efforts)
    assert max(high for _, high in ranges) == max(efforts)
    assert min(low for low, _ in ranges) > 0, "empty slots must not count as 0"


def test_too_strong_a_motor_is_named():
    report = coverage_report(scaled(BODIES[0], effort_limit=1000.0), RANGES)
    assert not report["in_distribution"]
    (sentence,) = report["outside"]
    assert "effort_limit of 1 limbs" in sentence
    assert "'limb_5'" in sentence
    assert "trained on" in sentence
    assert 0.98 < report["share_inside"] < 1


def test_margin_at_the_ends():
    low, high = RANGES["mass"]
    span = high - low
    heavy = max(BODIES, key=lambda body: body.total_mass)
    for share, inside in ((0.9 * TOLERANCE, True), (1.1 * TOLERANCE, False)):
        torso = heavy.limbs[0]
        changed = Morphology("heavier", (dataclasses.replace(torso, mass=torso.mass + share * span), *heavy.limbs[1:]))
        outside = coverage_report(changed, RANGES)["outside"]
        assert any(sentence.startswith("The body has") and "kg" in sentence for sentence in outside) != inside


def test_counts_are_named():
    report = coverage_report(random_body(1, limbs=9), RANGES)
    assert "The body has 9 limbs; trained on 6 to 6." in report["outside"]


def test_a_slot_never_trained_is_named():
    ranges = {**RANGES, "features": {k: v for k, v in RANGES["features"].items() if not k.startswith("slot1")}}
    report = coverage_report(BODIES[0], ranges)
    assert any("never seen in training" in sentence for sentence in report["outside"])


def test_shapes_are_notes_only():
    torso, *rest = BODIES[0].limbs
    capsule = Capsule((0.0, 0.0, 0.0), (0.0, 0.0, 0.1), 0.05)
    plain = [dataclasses.replace(limb, shapes=(capsule,)) for limb in (torso, *rest)]
    body = Morphology("plain", tuple(plain))
    assert coverage_report(body, trained_ranges([body]))["notes"] == []
    box = Box((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.1, 0.1, 0.1))
    for shapes, note in (
        ((box,), "1 limbs are no single capsule or ball, such as 'torso'; trained on those only."),
        ((box, box), "1 limbs are no single capsule or ball, such as 'torso'; trained on those only."),
        ((capsule, capsule), "1 limbs are no single capsule or ball, such as 'torso'; trained on those only."),
        ((), "1 limbs have no collision shape, such as 'torso'."),
    ):
        changed = Morphology("changed", (dataclasses.replace(plain[0], shapes=shapes), *plain[1:]))
        assert coverage_report(changed, RANGES)["notes"] == [note]


def test_own_robots_give_reports():
    bodies = [read_robot(path, notes=[]) for path in own_robots()]
    ranges = trained_ranges(bodies)
    assert bodies
    for body in bodies:
        assert coverage_report(body, ranges)["in_distribution"]
    assert all(np.isfinite(pair).all() for pair in ranges["features"].values())
