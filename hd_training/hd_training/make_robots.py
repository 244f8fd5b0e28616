"""Command `make_robots`: random robots of the design space that can move, as URDF files with a manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hd_controller.errors import HdError
from hd_training.argument_types import name_part, natural, positive
from hd_training.robot_set import read_robots, require_new, sample_robots, write_robots
from hd_training.screening import SCREEN
from hd_training.shipped_sets import write_shipped_sets

EXAMPLES = """examples:
  make_robots my_robots --count 50 --seed 7          50 robots; the same seed writes the same bytes
  make_robots more --seed 8 --exclude my_robots      20 others, none with a body of the first set
  make_robots hd_training/robots --shipped           the sets train and test that come with the package

Bodies that no simple gait moves are left out, see docs/robots.md. Train on a folder: train_teacher --robots FOLDER."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make_robots", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder for the URDF files and manifest.json")
    parser.add_argument("--count", type=positive, help="number of robots (default 20; with --shipped 100 per set)")
    parser.add_argument("--seed", type=natural, default=0, help="seed (default 0); not used with --shipped")
    parser.add_argument("--prefix", type=name_part, default="sample", help="start of names (default sample)")
    parser.add_argument("--exclude", type=Path, nargs="+", default=[], help="robots whose bodies are not to be made")
    parser.add_argument("--shipped", action="store_true", help="write FOLDER/train and FOLDER/test as shipped")
    parser.add_argument("--overwrite", action="store_true", help="replace the robots that are in the folder")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Sample robots into a folder."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.shipped:
            for line in write_shipped_sets(arguments.folder, count=arguments.count, overwrite=arguments.overwrite):
                print(line)
            return 0
        require_new(arguments.folder, overwrite=arguments.overwrite)
        known = {robot.body_id for robot in read_robots(arguments.exclude)} if arguments.exclude else set()
        count, progress = arguments.count or 20, sys.stderr.isatty()
        robots = sample_robots(count, arguments.seed, prefix=arguments.prefix, known=known, progress=progress)
        write_robots(robots, arguments.folder, {"seed": arguments.seed, "screen": SCREEN})
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {len(robots)} robots to {arguments.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
