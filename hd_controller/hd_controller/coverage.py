"""How far a body lies inside what a generator was trained on, in numbers and in words."""

import numpy as np

from hd_controller.context import FEATURE_NAMES, context_features
from hd_controller.morphology import Morphology
from hd_controller.shapes import Capsule, Sphere

TOLERANCE = 0.05
"""A value counts as inside up to this share of the trained span beyond its ends."""
_FLAT_TOLERANCE = 1e-3
"""The same for features that had one value in training."""


def trained_ranges(bodies: list[Morphology]) -> dict:
    """Ranges of a set of training bodies, ready for JSON: per context feature, limb count, joint count and mass [kg].

    Joint features count only where a joint is.
    """
    rows = np.concatenate([_with_gaps(body) for body in bodies])
    counts = [len(body.limbs) for body in bodies]
    joints = [len(body.joint_names) for body in bodies]
    masses = [body.total_mass for body in bodies]
    return {
        "features": {
            name: [float(np.nanmin(column)), float(np.nanmax(column))]
            for name, column in zip(FEATURE_NAMES, rows.T, strict=True)
            if not np.isnan(column).all()
        },
        "limbs": [min(counts), max(counts)],
        "joints": [min(joints), max(joints)],
        "mass": [min(masses), max(masses)],
    }


def _with_gaps(body: Morphology) -> np.ndarray:
    """(L, C) context features with NaN in empty joint slots."""
    features = context_features(body)
    for slot in range(2):
        columns = [index for index, name in enumerate(FEATURE_NAMES) if name.startswith(f"slot{slot}_")]
        empty = np.ones(len(body.limbs), dtype=bool)
        empty[[int(place) // 2 for place in body.slots if place % 2 == slot]] = False
        features[np.ix_(empty, columns)] = np.nan
    return features


def _outside(value: float, low: float, high: float) -> bool:
    margin = max(TOLERANCE * (high - low), _FLAT_TOLERANCE)
    return not low - margin <= value <= high + margin


def coverage_report(body: Morphology, ranges: dict) -> dict:
    """What of a body lies outside the trained ranges.

    Returns:
        ``in_distribution``: nothing is outside; ``outside``: one sentence each; ``share_inside``: share of the
        body's context numbers that are inside; ``notes``: remarks that do not count, such as limbs without shape.
    """
    outside: list[str] = []
    totals = {"limbs": len(body.limbs), "joints": len(body.joint_names), "mass": body.total_mass}
    units = {"limbs": "limbs", "joints": "joints", "mass": "kg"}
    for key, value in totals.items():
        low, high = ranges[key]
        if _outside(value, low, high):
            outside.append(f"The body has {value:.6g} {units[key]}; trained on {low:.6g} to {high:.6g}.")
    inside = numbers = 0
    features = _with_gaps(body)
    for name, column in zip(FEATURE_NAMES, features.T, strict=True):
        present = [(limb.name, value) for limb, value in zip(body.limbs, column, strict=True) if not np.isnan(value)]
        low, high = ranges["features"].get(name, (np.inf, -np.inf))
        bad = [(limb, value) for limb, value in present if _outside(value, low, high)]
        numbers += len(present)
        inside += len(present) - len(bad)
        if bad:
            limb, value = max(bad, key=lambda entry: max(low - entry[1], entry[1] - high))
            trained = f"trained on {low:.4g} to {high:.4g}" if low <= high else "never seen in training"
            outside.append(f"{name} of {len(bad)} limbs, such as {value:.4g} of '{limb}'; {trained}.")
    notes = _shape_notes(body)
    return {
        "in_distribution": not outside,
        "outside": outside,
        "share_inside": round(inside / max(numbers, 1), 4),
        "notes": notes,
    }


def _shape_notes(body: Morphology) -> list[str]:
    bare = [limb.name for limb in body.limbs if not limb.shapes]
    other = [
        limb.name
        for limb in body.limbs
        if limb.shapes and (len(limb.shapes) > 1 or not isinstance(limb.shapes[0], (Capsule, Sphere)))
    ]
    notes = []
    if bare:
        notes.append(f"{len(bare)} limbs have no collision shape, such as '{bare[0]}'.")
    if other:
        notes.append(f"{len(other)} limbs are no single capsule or ball, such as '{other[0]}'; trained on those only.")
    return notes
