"""Small robots made for tests: a torso with legs of one or two segments."""

import math

from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.shapes import Capsule, Sphere


def _capsule_limb(name: str, parent: int, position: tuple[float, float, float], end: tuple[float, float, float],
                  radius: float, hinges: tuple[Hinge, ...]) -> Limb:
    """A limb from its anchor to `end`, with the mass of a capsule of density 1000 and a safe inertia."""
    length = math.dist((0, 0, 0), end)
    mass = 1000 * math.pi * radius**2 * (length + 4 / 3 * radius)
    moment = mass * (length**2 / 12 + radius**2 / 2)
    com = tuple(value / 2 for value in end)
    return Limb(name, parent, position, mass, com, (moment, moment, moment, 0.0, 0.0, 0.0),
                (Capsule((0.0, 0.0, 0.0), end, radius),), hinges)


def legged_robot(name: str, legs: int, segments: int, length: float = 0.3, effort: float = 150.0,
                 radius: float = 0.05) -> Morphology:
    """A round torso with `legs` legs of `segments` capsules; joint names depend on the counts only."""
    mass = 1000 * 4 / 3 * math.pi * 0.15**3
    moment = 0.4 * mass * 0.15**2
    limbs = [Limb("torso", -1, (0.0, 0.0, 0.0), mass, (0.0, 0.0, 0.0), (moment, moment, moment, 0.0, 0.0, 0.0),
                  (Sphere((0.0, 0.0, 0.0), 0.15),), ())]
    for leg in range(legs):
        angle = 2 * math.pi * leg / legs
        parent, anchor = 0, (0.15 * math.cos(angle), 0.15 * math.sin(angle), 0.0)
        for segment in range(segments):
            slope = (0.6, 0.2)[segment % 2]
            end = (length * slope * math.cos(angle), length * slope * math.sin(angle), -length * (1 - slope / 3))
            prefix = f"leg{leg}_{segment}"
            common = {"velocity_limit": 20.0, "effort_limit": effort, "damping": 1.0, "armature": 0.1}
            hinges = [Hinge(f"{prefix}_x", (1.0, 0.0, 0.0), -0.5, 0.5, **common)]
            if segment == 0:
                hinges.append(Hinge(f"{prefix}_y", (0.0, 1.0, 0.0), -0.8, 0.8, **common))
            limbs.append(_capsule_limb(prefix, parent, anchor, end, radius, tuple(hinges)))
            parent, anchor = len(limbs) - 1, end
    return Morphology(name, tuple(limbs))


def sample_robots() -> list[Morphology]:
    """Seven robots; the last two have the same joint names as others but different bodies."""
    return [legged_robot("tripod", 3, 1), legged_robot("quad", 4, 1), legged_robot("strider", 4, 2),
            legged_robot("hexapod", 6, 1), legged_robot("walker", 3, 2), legged_robot("long_quad", 4, 1, length=0.4),
            legged_robot("weak_strider", 4, 2, effort=100.0)]
