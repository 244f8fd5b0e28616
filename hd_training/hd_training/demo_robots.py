"""The named demo robots, all of our own making and all inside the design space.

`python -m hd_training.demo_robots FOLDER` writes them as URDF; the same code always writes the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hd_controller.morphology import Morphology
from hd_controller.urdf_writer import write_urdf
from hd_training.design_space import BodyPlan, HingePlan, LimbPlan, build

SWING = (-60, 60)
STEP = (-45, 45)
BEND = (-30, 60)


def _limb(
    group: int,
    azimuth: int,
    polar: int,
    height: float,
    kinds: str,
    *,
    parent: int = 0,
    site: str = "center",
    span: tuple[int, int] = SWING,
    gear: float = 250.0,
) -> LimbPlan:
    """One limb whose hinges ('x', 'y' or 'xy') share a range [degrees] and a torque [N m]."""
    hinges = tuple(HingePlan(kind, span, gear) for kind in kinds)
    return LimbPlan(parent, site, azimuth, polar, height, hinges, group)


def tripod() -> BodyPlan:
    """Three legs: a pair in front and one behind."""
    limbs = (
        _limb(1, 45, 135, 0.3, "xy"),
        _limb(1, 315, 135, 0.3, "xy"),
        _limb(2, 180, 135, 0.4, "xy", gear=300.0),
    )
    return BodyPlan("tripod", 500.0, 600.0, limbs)


def _quadruped(name: str, upper: float, lower: float, gear: float, density: float) -> BodyPlan:
    """Four two-segment legs; hips move two ways, knees one."""
    limbs: list[LimbPlan] = []
    for group, azimuths in ((1, (45, 315)), (3, (135, 225))):
        for azimuth in azimuths:
            limbs.append(_limb(group, azimuth, 90, upper, "xy", span=STEP, gear=gear))
            limbs.append(_limb(group + 1, 0, 180, lower, "y", parent=len(limbs), site="end", span=SWING, gear=gear))
    return BodyPlan(name, 700.0, density, tuple(limbs))


def quadruped() -> BodyPlan:
    """Four two-segment legs of medium length."""
    return _quadruped("quadruped", 0.2, 0.3, 250.0, 600.0)


def quadruped_tall() -> BodyPlan:
    """The quadruped's joints on longer and heavier legs: same joint names, different body."""
    return _quadruped("quadruped_tall", 0.3, 0.4, 300.0, 700.0)


def hexapod() -> BodyPlan:
    """Six one-segment legs around the torso."""
    limbs = []
    for group, azimuth in enumerate((45, 90, 135), start=1):
        limbs += [_limb(group, side, 135, 0.3, "xy", span=STEP) for side in (azimuth, 360 - azimuth)]
    return BodyPlan("hexapod", 600.0, 500.0, tuple(limbs))


def biped_walker() -> BodyPlan:
    """Two two-segment legs and a tail for balance."""
    limbs = (
        _limb(1, 90, 135, 0.2, "xy", span=STEP, gear=300.0),
        _limb(2, 0, 180, 0.3, "y", parent=1, site="end", gear=300.0),
        _limb(1, 270, 135, 0.2, "xy", span=STEP, gear=300.0),
        _limb(2, 0, 180, 0.3, "y", parent=3, site="end", gear=300.0),
        _limb(3, 180, 135, 0.4, "y", span=SWING, gear=200.0),
    )
    return BodyPlan("biped_walker", 600.0, 500.0, limbs)


def inchworm() -> BodyPlan:
    """A chain of four horizontal segments behind the torso that bends in the vertical plane."""
    limbs = tuple(
        _limb(index, 180, 90, 0.3, "xy" if index == 2 else "y", parent=index - 1, site="end" if index > 1 else "center")
        for index in range(1, 5)
    )
    return BodyPlan("inchworm", 500.0, 500.0, limbs)


def centipede() -> BodyPlan:
    """A three-part spine, torso included, with a pair of legs on each part and one pair at its end."""
    limbs = [
        _limb(1, 45, 135, 0.2, "xy", span=STEP),
        _limb(1, 315, 135, 0.2, "xy", span=STEP),
        _limb(2, 180, 90, 0.3, "y", span=(-30, 30)),
        _limb(3, 90, 135, 0.2, "x", parent=3, site="mid", span=SWING),
        _limb(3, 270, 135, 0.2, "x", parent=3, site="mid", span=SWING),
        _limb(4, 180, 90, 0.3, "y", parent=3, site="end", span=(-30, 30)),
        _limb(5, 90, 135, 0.2, "x", parent=6, site="mid", span=SWING),
        _limb(5, 270, 135, 0.2, "x", parent=6, site="mid", span=SWING),
        _limb(6, 135, 135, 0.2, "xy", parent=6, site="end", span=STEP),
        _limb(6, 225, 135, 0.2, "xy", parent=6, site="end", span=STEP),
    ]
    return BodyPlan("centipede", 500.0, 500.0, tuple(limbs))


def kangaroo() -> BodyPlan:
    """Two long hind legs with horizontal feet, two short fore legs, and a tail."""
    limbs = (
        _limb(1, 135, 135, 0.3, "y", span=BEND, gear=300.0),
        _limb(2, 0, 135, 0.2, "y", parent=1, site="end", gear=300.0),
        _limb(1, 225, 135, 0.3, "y", span=BEND, gear=300.0),
        _limb(2, 0, 135, 0.2, "y", parent=3, site="end", gear=300.0),
        _limb(3, 45, 135, 0.2, "xy", span=STEP, gear=200.0),
        _limb(3, 315, 135, 0.2, "xy", span=STEP, gear=200.0),
        _limb(4, 180, 90, 0.4, "y", span=STEP, gear=200.0),
    )
    return BodyPlan("kangaroo", 600.0, 500.0, limbs)


DEMO_PLANS = (tripod, quadruped, quadruped_tall, hexapod, biped_walker, inchworm, centipede, kangaroo)


def demo_robots() -> list[Morphology]:
    """All demo robots as bodies."""
    return [build(plan()) for plan in DEMO_PLANS]


def main(argv: list[str] | None = None) -> int:
    """Write all demo robots as URDF into a folder."""
    parser = argparse.ArgumentParser(description="Write the named demo robots as URDF files.")
    parser.add_argument("folder", type=Path, help="folder to write NAME.urdf into")
    folder = parser.parse_args(argv).folder
    folder.mkdir(parents=True, exist_ok=True)
    for robot in demo_robots():
        (folder / f"{robot.name}.urdf").write_text(write_urdf(robot), encoding="utf-8")
        print(f"{robot.name}: {len(robot.limbs)} limbs, {len(robot.joint_names)} joints, {robot.total_mass:.1f} kg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
