"""Small bodies shared by the tests."""

import os
from pathlib import Path

from hd_controller.morphology import Morphology
from hd_training.demo_robots import biped_walker, hexapod, quadruped, tripod
from hd_training.design_space import build


def small_set() -> list[Morphology]:
    """Three bodies of 4, 6 and 9 limbs."""
    return [build(tripod()), build(biped_walker()), build(quadruped())]


def six_legs() -> Morphology:
    """A body of 7 limbs that is in no training set here."""
    return build(hexapod())


def unimal_files() -> list[Path]:
    """The training robots of the benchmark, or an empty list."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "unimal"
    return sorted(Path(os.environ.get("HD_UNIMAL") or beside).glob("train/xml/*.xml"))
