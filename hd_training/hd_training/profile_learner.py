"""Command `profile_learner`: where the time of one iteration of training goes."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from hd_controller.errors import HdError
from hd_training.argument_types import positive
from hd_training.learner_state import build_learner
from hd_training.paper_networks import NETWORKS
from hd_training.ppo import SECTION, PpoLearner
from hd_training.presets import COMPACT, PRESETS
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import training_set

DESCRIPTION = """Run some iterations of training and say where their time went: wall time of the calling thread, means
over iterations without the first. Other load on the machine makes all of it longer: stop it first."""
EXAMPLES = """examples:
  profile_learner                               laptop preset on the shipped training set
  profile_learner --network modumorph --iterations 1
  profile_learner --environments 8 --horizon 16 --json profile.json"""


@dataclass(frozen=True)
class LearnerProfile:
    """Mean times of one iteration [s] and its samples."""

    samples: int
    updates: float
    rollout_s: float
    update_s: float
    sections_s: dict[str, float]

    @property
    def steps_per_s(self) -> float:
        """Environment steps per second of the whole iteration."""
        return self.samples / (self.rollout_s + self.update_s)


def measure(learner: PpoLearner, iterations: int) -> LearnerProfile:
    """Train for some iterations after one that is not counted; the KL limit may end updates early, as in training."""
    _iterate(learner)
    rollout, update, updates = 0.0, 0.0, 0
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(iterations):
            one, other, done = _iterate(learner)
            rollout, update, updates = rollout + one, update + other, updates + done
    sections = {
        event.key.removeprefix(SECTION): event.cpu_time_total / 1e6 / iterations
        for event in profiler.key_averages()
        if event.key.startswith(SECTION)
    }
    return LearnerProfile(learner.samples, updates / iterations, rollout / iterations, update / iterations, sections)


def _iterate(learner: PpoLearner) -> tuple[float, float, int]:
    """Seconds of rollout and update of one iteration, and its number of gradient steps."""
    begin = time.perf_counter()
    samples, _ = learner.rollout()
    middle = time.perf_counter()
    losses = learner.update(samples)
    learner.iterations += 1
    return middle - begin, time.perf_counter() - middle, int(losses["updates"])


def table(measured: LearnerProfile) -> str:
    """The profile as lines of text."""
    whole = measured.rollout_s + measured.update_s
    rest = whole - sum(measured.sections_s.values())
    rows = [*sorted(measured.sections_s.items(), key=lambda item: -item[1]), ("all else", rest), ("iteration", whole)]
    lines = [f"{'part':32s}  {'seconds':>8s}  {'share':>6s}"]
    lines += [f"{name:32s}  {seconds:8.3f}  {seconds / whole:6.1%}" for name, seconds in rows]
    lines.append(
        f"{measured.samples} steps and {measured.updates:.0f} gradient steps an iteration, "
        f"{measured.steps_per_s:.0f} steps/s (rollout {measured.rollout_s:.2f} s, update {measured.update_s:.2f} s)"
    )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="profile_learner", description=DESCRIPTION, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--preset", choices=sorted(PRESETS), default="laptop", help="sizes and devices (default laptop)")
    add("--robots", type=Path, nargs="+", help="robot files or folders (default: the shipped training set)")
    add("--network", choices=[COMPACT, *sorted(NETWORKS)], help="architecture (default: the preset's)")
    add("--environments", type=positive, help="environments per robot (default: the preset's)")
    add("--horizon", type=positive, help="control steps per iteration (default: the preset's)")
    add("--workers", type=positive, help="simulation and torch threads (default: the preset's)")
    add("--iterations", type=positive, default=2, help="measured iterations (default 2)")
    add("--json", type=Path, help="write the figures to this file, too")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    arguments = _parser().parse_args(argv)
    chosen = {name: getattr(arguments, name) for name in ("environments", "horizon")}
    try:
        robots = read_robots(arguments.robots or [training_set()])
        preset = PRESETS[arguments.preset]
        ppo = replace(preset.ppo, **{name: value for name, value in chosen.items() if value})
        preset = replace(
            preset, ppo=ppo, network=arguments.network or preset.network, workers=arguments.workers or preset.workers
        )
        learner = build_learner(robots, preset)
        print(
            f"{preset.name} preset, {preset.network}, {len(robots)} robots x {ppo.environments} environments, "
            f"{torch.get_num_threads()} threads, torch {torch.__version__}; load before: {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        print(f"measuring {arguments.iterations} iterations ...", file=sys.stderr, flush=True)
        measured = measure(learner, arguments.iterations)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    learner.engine.close()
    print(table(measured))
    if arguments.json:
        content = {"torch": torch.__version__, **asdict(measured), "steps_per_s": measured.steps_per_s}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
