"""Command `mutate_robots`: mutants of robots of the design space, as URDF files with a manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.design_space import build
from hd_training.mutation import mutate
from hd_training.plan_reader import read_plan
from hd_training.robot_set import read_robots, write_robots

MOST_OPERATIONS = 3


def mutants(robots: list[Morphology], count: int, seed: int) -> tuple[list[Morphology], dict[str, list[str]]]:
    """`count` distinct mutants of every robot, each by 1 to 3 operators, and the operators by name."""
    known = {robot.body_id for robot in robots}
    made, operators = [], {}
    for index, robot in enumerate(robots):
        plan, draw, found = read_plan(robot), 0, 0
        while found < count and draw < 20 * count:
            rng = np.random.default_rng((seed, index, draw))
            draw += 1
            name = f"{robot.name}_mutate_{found}"
            mutant, applied = mutate(plan, rng, operations=int(rng.integers(1, MOST_OPERATIONS + 1)), name=name)
            body = build(mutant)
            if body.body_id in known:
                continue
            known.add(body.body_id)
            made.append(body)
            operators[name] = applied
            found += 1
    return made, operators


def main(argv: list[str] | None = None) -> int:
    """Write mutants of the robots of some folders."""
    parser = argparse.ArgumentParser(description="Mutate robots of the design space; writes URDF files and a manifest.")
    parser.add_argument("folder", type=Path, help="folder for the mutants")
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="parents: robot files or folders")
    parser.add_argument("--count", type=int, default=9, help="mutants per robot (default 9)")
    parser.add_argument("--seed", type=int, default=0, help="seed; the same seed writes the same files")
    arguments = parser.parse_args(argv)
    try:
        made, operators = mutants(read_robots(arguments.robots), arguments.count, arguments.seed)
    except HdError as error:
        print(f"error: {error}")
        return 1
    write_robots(made, arguments.folder, {"seed": arguments.seed, "operators": operators})
    print(f"wrote {len(made)} mutants to {arguments.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
