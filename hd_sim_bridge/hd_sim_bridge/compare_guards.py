"""``compare_guards``: what the guard profiles cost in return, in simulation with the guards in the loop.

Every profile plays the same episodes. A guard that ends run leaves the robot to damping for the rest of its episode.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from hd_controller.command_manners import mannered
from hd_controller.controller import ControllerSettings
from hd_controller.description_source import description_text
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.guard_settings import GuardSettings, profile_settings, profile_values
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shipped_files import generator_folder, shipped_robots
from hd_sim_bridge.guarded_episode import EPISODE_STEPS, Episode, PerfectSensors, run_episode

OF_MESSAGES = {"not_finite_limit", "state_timeout", "missing_limit", "out_of_order_limit", "duplicated_limit",
               "max_delay", "clock_jump"}
EXAMPLES = """examples:
  compare_guards                                    all shipped robots under both profiles
  compare_guards quadruped --episodes 1 --steps 100 a first look, in seconds
  compare_guards --single --json > figures.json     every guard alone, every episode as JSON"""


class Named(Protocol):
    """A column of a table."""

    name: str


@dataclass(frozen=True)
class Setting:
    """A column of the table: its name and the guards in force."""

    name: str
    guards: GuardSettings


def profile_columns() -> list[Setting]:
    """The two profiles, and hardware without its tilt limit, which stops gaits that turn over."""
    return [Setting("benchmark", profile_settings("benchmark")), Setting("hardware", profile_settings("hardware")),
            Setting("hardware, max_tilt 0", profile_settings("hardware", max_tilt=0))]


def single_guards() -> list[Setting]:
    """The benchmark profile, and beside it every guard of the hardware profile alone.

    Guards of what messages say, when and in which order, are left out: here every message is right and in time.
    """
    plain, hardware = profile_values("benchmark"), profile_values("hardware")
    changed = [name for name in hardware if hardware[name] != plain[name] and name not in OF_MESSAGES]
    return [Setting("benchmark", profile_settings("benchmark")),
            *(Setting(f"{name} {hardware[name]:g}", profile_settings("benchmark", **{name: hardware[name]}))
              for name in changed)]


def play(bundles: Sequence[PolicyBundle], setting: Setting, episodes: int, steps: int) -> list[list[Episode]]:
    """Episodes of every robot under one setting; seeds 0, 1, ... for all alike."""
    settings = ControllerSettings(guards=setting.guards, allow_out_of_distribution=True)
    return [[run_episode(bundle, settings, PerfectSensors(), seed, steps) for seed in range(episodes)]
            for bundle in bundles]


def cell(episodes: Sequence[Episode]) -> str:
    """Mean return with its standard error, and how many episodes each guard ended."""
    returns = np.array([episode.total_return for episode in episodes])
    error = returns.std(ddof=1) / np.sqrt(len(returns)) if len(returns) > 1 else 0.0
    ends = Counter(episode.ended_by for episode in episodes if episode.ended_by not in ("", "fall"))
    stops = "".join(f", {guard} {count}" for guard, count in sorted(ends.items()))
    return f"{returns.mean():.0f} ± {error:.0f}{stops}"


def table(names: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[str]], means: Sequence[str]) -> str:
    """Markdown: a row for each robot, a last one with means; `cells` column by column."""
    rows = [["robot", *columns], ["---"] * (len(columns) + 1),
            *([name, *(column[place] for column in cells)] for place, name in enumerate(names)),
            ["**mean**", *means]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def load_bundles(robots: Sequence[str], generator: str) -> list[PolicyBundle]:
    """Generated policies of robots by shipped name or file; raises HdError."""
    loaded = GeneratorBundle.load(generator_folder(generator))
    return [generate_policy(description_text(robot)[0], loaded) for robot in robots]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say who plays how often."""
    parser.add_argument("robots", nargs="*", help="names of shipped robots or files; default: all shipped robots")
    parser.add_argument("--generator", default="default", help="generator bundle: name or folder")
    parser.add_argument("--episodes", type=_positive, default=16, help="episodes per robot and column")
    parser.add_argument("--steps", type=_positive, default=EPISODE_STEPS, help="control steps of an episode")
    parser.add_argument("--json", action="store_true", help="print every episode's return and end as JSON")


def _positive(text: str) -> int:
    """A whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def run_command(options: argparse.Namespace, settings: Sequence[Named],
                play_setting: Callable[[Sequence[PolicyBundle], Any, int, int], list[list[Episode]]]) -> int:
    """Play all settings, with a line of progress for each robot, and print the table."""
    bundles = load_bundles(options.robots or sorted(shipped_robots()), options.generator)
    names = [bundle.morphology.name for bundle in bundles]
    played: dict[str, list[list[Episode]]] = {}
    for setting in settings:
        played[setting.name] = []
        for bundle, name in zip(bundles, names, strict=True):
            played[setting.name] += play_setting([bundle], setting, options.episodes, options.steps)
            print(f"{setting.name}, {name}: {cell(played[setting.name][-1])}", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({column: {name: [asdict(episode) for episode in episodes]
                                   for name, episodes in zip(names, results, strict=True)}
                          for column, results in played.items()}, indent=1))
        return 0
    means = [f"{np.mean([episode.total_return for row in results for episode in row]):.0f}"
             for results in played.values()]
    print(table(names, list(played), [[cell(episodes) for episodes in results] for results in played.values()], means))
    return 0


@mannered
def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit code 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(prog="compare_guards", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--single", action="store_true", help="every guard of the hardware profile alone instead")
    options = parser.parse_args(arguments)
    try:
        return run_command(options, single_guards() if options.single else profile_columns(), play)
    except HdError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
