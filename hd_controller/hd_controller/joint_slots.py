"""Which of a limb's two joint slots a hinge belongs to, from geometry alone.

The rule must not depend on file frames, names or order, so it is tied to the limb's direction: with d from the joint
anchor to the centre of mass (straight down where they coincide), take the shortest rotation from z to -d (a capsule's
frame in MuJoCo). Slot 0 is the hinge nearer to the rotated x axis, slot 1 the one nearer to y.
"""

import numpy as np

from hd_controller.rotations import matrix_from_z_to

SLOTS_PER_LIMB = 2
TIE_TOLERANCE = 1e-6
"""Differences of alignment below this are ties, so that rounding in a file never decides."""


def limb_direction(com: tuple[float, float, float]) -> np.ndarray:
    """(3,) unit vector from the joint anchor to the centre of mass; straight down where they coincide."""
    length = float(np.linalg.norm(com))
    return np.array([0.0, 0.0, -1.0]) if length < 1e-6 else np.asarray(com) / length


def assign_slots(com: tuple[float, float, float], axes: list[tuple[float, float, float]]) -> tuple[int, ...]:
    """Slot of each hinge of one limb; two hinges never share a slot, ties go to slot 0.

    Args:
        com: centre of mass in the limb frame [m].
        axes: unit axes of zero to two hinges in the limb frame.
    """
    if not axes:
        return ()
    frame = matrix_from_z_to(-limb_direction(com))
    alignment = np.abs(np.asarray(axes) @ frame[:, :2])
    if len(axes) == 1:
        return (0 if alignment[0, 0] >= alignment[0, 1] - TIE_TOLERANCE else 1,)
    straight = alignment[0, 0] + alignment[1, 1]
    crossed = alignment[0, 1] + alignment[1, 0]
    return (0, 1) if straight >= crossed - TIE_TOLERANCE else (1, 0)
