"""Command `mutate_robots`: mutants of robots of the design space, as URDF files with a manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.argument_types import name_part, natural, positive
from hd_training.design_space import BodyPlan, build
from hd_training.mutation import mutate
from hd_training.plan_reader import read_plan
from hd_training.robot_set import read_robots, require_new, write_robots
from hd_training.screening import SCREEN, can_move

MOST_OPERATIONS = 3
DRAWS_PER_MUTANT = 20
EXAMPLES = """examples:
  mutate_robots mutants --robots my_robots                    9 mutants of each, by 1 to 3 operators
  mutate_robots mutants --robots my_robots --count 3 --seed 5 3 of each; the same seed writes the same bytes
  mutate_robots mutants --robots my_robots --screen           only mutants that can move, see docs/robots.md
  mutate_robots pd_robots --robots $HD_UNIMAL/train --total 1000    the robots for distillation: parents and mutants
  mutate_robots unseen --robots my_robots --count 1 --seed 1 --suffix unseen    others, to test with

Operators: grow_limb, delete_limb, limb_params, density, gear, joint_angle, dof. The manifest names those of each
mutant. Parents must be of the design space (make_robots, and the robots that come with the package)."""


def parent_plans(robots: list[Morphology], *, skip_invalid: bool = False) -> list[BodyPlan]:
    """Genomes of the parents; one that the design space cannot make is refused, or reported and left out."""
    plans = []
    for robot in robots:
        try:
            plans.append(read_plan(robot))
        except HdError as error:
            if not skip_invalid:
                raise HdError(f"{error} (leave such robots out with --skip-invalid)") from error
            print(f"skipped {error}")
    return plans


def mutants(
    plans: list[BodyPlan], counts: list[int], seed: int, *, known: set[str] = frozenset(), screen: bool = False,
    progress: bool = False, suffix: str = "mutate",
) -> tuple[list[Morphology], dict[str, list[str]]]:  # fmt: skip
    """So many mutants of each plan, each by 1 to 3 operators, no two of one body; and the operators by name.

    They are called PARENT_SUFFIX_0 and so on.

    No mutant has a parent's body, nor one of `known` (body ids).

    Raises:
        HdError: a robot has too few mutants in 20 draws for each.
    """
    known = {build(plan).body_id for plan in plans} | set(known)
    made: list[Morphology] = []
    operators: dict[str, list[str]] = {}
    for index, plan in enumerate(tqdm(plans, unit="robot", disable=not progress)):
        count, found = counts[index], 0
        for draw in range(DRAWS_PER_MUTANT * count):
            rng = np.random.default_rng((seed, index, draw))
            name = f"{plan.name}_{suffix}_{found}"
            mutant, applied = mutate(plan, rng, operations=int(rng.integers(1, MOST_OPERATIONS + 1)), name=name)
            body = build(mutant)
            if body.body_id in known or (screen and not can_move(body)):
                continue
            known.add(body.body_id)
            made.append(body)
            operators[name] = applied
            found += 1
            if found == count:
                break
        if found < count:
            raise HdError(f"{plan.name}: only {found} of {count} mutants found; ask for fewer with --count")
    return made, operators


def _counts(total: int, robots: int, plans: int) -> list[int]:
    """Mutants of each plan so that all robots and mutants are `total`: numbers differ by one at most, larger first."""
    if total < robots:
        raise HdError(f"--total is {total}, the parents alone are {robots} robots; expected at least as many")
    each, more = divmod(total - robots, plans)
    return [each + (index < more) for index in range(plans)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mutate_robots", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder for the mutants and manifest.json")
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="parents: robot files or folders")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--count", type=positive, default=9, help="mutants per robot (default 9)")
    amount.add_argument("--total", type=positive, help="robots in all: parents, written too, and their mutants")
    parser.add_argument("--seed", type=natural, default=0, help="seed (default 0)")
    parser.add_argument("--suffix", type=name_part, default="mutate", help="NAME_SUFFIX_0 (default mutate)")
    parser.add_argument("--screen", action="store_true", help="leave out mutants that no simple gait moves")
    parser.add_argument("--skip-invalid", action="store_true", help="leave out parents that cannot be read or mutated")
    parser.add_argument("--overwrite", action="store_true", help="replace the robots that are in the folder")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Write mutants of the robots of some folders."""
    arguments = _parser().parse_args(argv)
    try:
        require_new(arguments.folder, overwrite=arguments.overwrite)
        robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
        plans = parent_plans(robots, skip_invalid=arguments.skip_invalid)
        counts = [arguments.count] * len(plans)
        if arguments.total:
            counts = _counts(arguments.total, len(robots), len(plans))
        made, operators = mutants(
            plans, counts, arguments.seed, known={robot.body_id for robot in robots}, screen=arguments.screen,
            progress=sys.stderr.isatty(), suffix=arguments.suffix,
        )  # fmt: skip
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    screen = {"screen": SCREEN} if arguments.screen else {}
    parents = robots if arguments.total else []
    operators |= {robot.name: [] for robot in parents}
    write_robots(parents + made, arguments.folder, {"seed": arguments.seed} | screen, operators)
    also = f" and {len(parents)} parents" if parents else ""
    print(f"wrote {len(made)} mutants{also} to {arguments.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
