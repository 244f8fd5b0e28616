"""The robot sets that come with the package: where they lie, and how they are made again."""

from __future__ import annotations

import sys
from pathlib import Path

from hd_training.demo_robots import demo_robots
from hd_training.near_duplicates import near_duplicates
from hd_training.robot_set import require_new, sample_robots, write_robots
from hd_training.screening import SCREEN

PACKAGE = "hd_training"
SEEDS = {"train": 1, "test": 2}
ROBOTS_PER_SET = 100


def sets_folder() -> Path:
    """The folder with the sets `train` and `test`, installed or in the source tree."""
    try:
        from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

        try:
            installed = Path(get_package_share_directory(PACKAGE)) / "robots"
            if (installed / "train").is_dir():
                return installed
        except PackageNotFoundError:
            pass
    except ImportError:
        pass
    return Path(__file__).resolve().parents[1] / "robots"


def training_set() -> Path:
    """Folder of the 100 training robots."""
    return sets_folder() / "train"


def held_out_set() -> Path:
    """Folder of the 100 test robots, none of which shares its body with a training or demo robot."""
    return sets_folder() / "test"


def write_shipped_sets(folder: Path, *, count: int | None = None, overwrite: bool = False) -> list[str]:
    """Make the sets again, by default whole; fewer are the first of each. Returns what to tell the user."""
    known = {robot.body_id for robot in demo_robots()}
    made, lines = [], []
    for name in SEEDS:
        require_new(folder / name, overwrite=overwrite)
    for name, seed in SEEDS.items():
        robots = sample_robots(
            count or ROBOTS_PER_SET, seed, prefix=name, known=known, progress=sys.stderr.isatty()
        )
        known |= {robot.body_id for robot in robots}
        pairs = near_duplicates(robots, made)
        manifest = {"seed": seed, "screen": SCREEN}
        if made:
            manifest["near_duplicates_of_train"] = pairs
        write_robots(robots, folder / name, manifest)
        lines.append(f"wrote {len(robots)} robots to {folder / name}")
        made = made + robots
    return [*lines, f"{len(pairs)} pairs of a test and a training robot share their skeleton (near-duplicates)"]
