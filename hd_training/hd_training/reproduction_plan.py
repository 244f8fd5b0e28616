"""From experiments to the queue of `reproduce`: every piece of work as a step with its settings and what it needs.

Planning is pure: no file is read or written. Two arms that need the same piece of work share its step. A step's digest
covers its settings and those of all that it is made from, so a finished step is known to be the one that is planned.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property

from hd_training.presets import EXPERTS as EXPERT_PRESET
from hd_training.presets import HYPERDISTILL, CollectConfig, EvaluateConfig, Preset
from hd_training.reproduction_estimates import collecting, distilling, evaluating, reinforcing
from hd_training.reproduction_experiments import (
    CHOSEN,
    EXPERTS,
    ORACLE,
    PD,
    RL,
    TEACHER,
    TEST,
    TEST_PART,
    TRAIN,
    TRAIN_PART,
    UNIVERSAL,
    Arm,
    Experiment,
    Scale,
)

BATCH_ROBOTS, BATCH_SAMPLES, MOST_SAMPLES = 64, 5120, 512
PLACE_ONLY = ("workers", "device", "compiled")
"""Fields of a preset that say where something is computed, not what."""


@dataclass(frozen=True)
class Sources:
    """What is given to a reproduction; digests tell one content from another."""

    robots_sha256: str  # of training and test robots
    training_robots: int
    test_robots: int
    teacher: tuple[str, str] | None = None  # path and digest of a universal teacher that exists
    experts: tuple[str, str] | None = None  # path and digest of a folder of experts


@dataclass(frozen=True)
class Step:
    """One piece of work; `name` is also its folder."""

    name: str
    kind: str
    settings: dict
    minutes: float  # estimated [min]
    preset: Preset | None = None
    needs: tuple[Step, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over all that decides about the result."""
        preset = self.preset.to_dict() if self.preset else {}
        content = {
            "kind": self.kind,
            "settings": {name: value for name, value in self.settings.items() if name != "path"},
            "preset": {name: value for name, value in preset.items() if name not in PLACE_ONLY},
            "needs": [step.digest for step in self.needs],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Unit:
    """One arm with one seed on one set of robots; `step` writes its returns."""

    arm: Arm
    robots: str
    seed: int
    step: Step


@dataclass
class Plan:
    """Steps in an order in which each comes after what it needs, and the units of each experiment."""

    steps: list[Step] = field(default_factory=list)
    units: dict[str, list[Unit]] = field(default_factory=dict)

    def part(self, name: str) -> Plan:
        """The plan of one experiment."""
        result = Plan(units={name: self.units[name]})
        for unit in self.units[name]:
            result.add(unit.step)
        return result

    def add(self, step: Step) -> None:
        """Append a step and what it needs, each once."""
        if any(known.name == step.name for known in self.steps):
            return
        for needed in step.needs:
            self.add(needed)
        self.steps.append(step)


@dataclass(frozen=True)
class Planner:
    """Makes the steps of one scale."""

    scale: Scale
    sources: Sources
    seeds: int | None = None  # of every arm; None: as the scale says

    def plan(self, experiments: list[Experiment]) -> Plan:
        """The queue of these experiments."""
        result = Plan()
        for experiment in experiments:
            result.units[experiment.name] = [
                Unit(arm, robots, seed, self.returns(arm, seed, robots, main=experiment.main))
                for arm in experiment.arms
                for seed in range(self.seed_count(arm, main=experiment.main))
                for robots in experiment.sets
                if self.can_act(arm, robots)
            ]
            for unit in result.units[experiment.name]:
                result.add(unit.step)
        return result

    def seed_count(self, arm: Arm, *, main: bool) -> int:
        """Runs of an arm; a teacher is there once."""
        if arm.network == TEACHER:
            return 1
        seeds = self.scale.seeds
        return self.seeds or (seeds.rl if arm.network == RL else seeds.main if main else seeds.ablation)

    def can_act(self, arm: Arm, robots: str) -> bool:
        """Whether an arm has an action for these robots: experts and students of one robot know no other one."""
        knows_only_its_own = arm.alone or (arm.network == TEACHER and arm.teacher == EXPERTS)
        return robots == CHOSEN or not knows_only_its_own

    def counts(self) -> dict[str, int]:
        """Robots in each set."""
        scale, training, test = self.scale, self.sources.training_robots, self.sources.test_robots
        training, test = min(training, scale.training_robots or training), min(test, scale.test_robots or test)
        part = scale.part_robots
        return {
            TRAIN: training, TEST: test, TRAIN_PART: min(training, part), TEST_PART: min(test, part),
            CHOSEN: min(training, scale.experts), PD: max(scale.pd_robots, *scale.pd_counts),
        }  # fmt: skip

    def robots(self) -> Step:
        """All sets of robots."""
        settings = {"robots_sha256": self.sources.robots_sha256, "counts": self.counts(), "seed": 0}
        return Step("robots", "robots", settings, minutes=0.5 + 0.005 * self.counts()[PD])

    def teacher(self, kind: str) -> Step:
        """The universal teacher or the experts: given, or trained."""
        given = self.sources.teacher if kind == UNIVERSAL else self.sources.experts
        name = f"teachers/{kind}"
        if given is not None:
            return Step(name, "given", {"path": given[0], "sha256": given[1]}, minutes=0.0)
        scale, robots = self.scale, self.robots()
        if kind == EXPERTS:
            preset = replace(EXPERT_PRESET, ppo=replace(EXPERT_PRESET.ppo, max_steps=scale.expert_steps))
            minutes = reinforcing(self.counts()[CHOSEN] * scale.expert_steps)
            return Step(name, "experts", {"robots": CHOSEN}, minutes, preset, (robots,))
        own = scale.preset
        minutes = min(own.ppo.minutes, reinforcing(own.ppo.max_steps)) + (own.clone.minutes if own.expert_steps else 0)
        minutes += reinforcing(self.counts()[TRAIN] * own.expert_steps)
        return Step(name, "teacher", {"robots": TRAIN}, minutes, own, (robots,))

    def data(self, teacher: str, robots: str, count: int) -> Step:
        """Trajectories of a teacher on the first `count` robots of a set."""
        scale = self.scale
        total = scale.pd_robots * scale.transitions
        rows = scale.expert_transitions if robots == CHOSEN else total // count
        steps = rows // scale.environments
        collection = CollectConfig(scale.environments, steps, scale.preset.collect.noise_std)
        preset = replace(scale.preset, collect=collection)
        settings = {"robots": robots, "count": count, "rows": steps * scale.environments}
        needs = (self.robots(), self.teacher(teacher))
        name = f"data/{teacher}_{robots}_{count}"
        return Step(name, "data", settings, collecting(count * rows), preset, needs)

    def students(self, arm: Arm, seed: int, *, main: bool) -> list[Step]:
        """The student of an arm, or its students, one for each robot."""
        counts = self.counts()
        if arm.robots == PD:
            count = arm.robot_count or min(self.scale.pd_robots, counts[PD])
        else:
            count = counts[arm.robots]
        data = self.data(arm.teacher, arm.robots, count)
        if arm.alone:
            return [self._student(arm, seed, data, robot, main=main) for robot in range(count)]
        return [self._student(arm, seed, data, None, main=main)]

    def _student(self, arm: Arm, seed: int, data: Step, robot: int | None, *, main: bool) -> Step:
        scale, rows = self.scale, data.settings["rows"]
        passes = scale.passes if main else scale.part_passes
        network = scale.oracle if arm.network == ORACLE else arm.network
        robots = 1 if robot is not None else data.settings["count"]
        samples = max(BATCH_SAMPLES // BATCH_ROBOTS, min(MOST_SAMPLES, BATCH_SAMPLES // robots))
        config = replace(
            scale.preset.distill, minutes=float("inf"), passes=passes, robots=BATCH_ROBOTS,
            samples=min(samples, rows), evaluate_minutes=None,
        )  # fmt: skip
        sizes = replace(scale.preset.student, **dict(arm.student)) if network == HYPERDISTILL else scale.preset.student
        preset = replace(scale.preset, seed=seed, distill=config, student=sizes)
        changed = [value for key, value in arm.student if getattr(scale.preset.student, key) != value]
        words = [network, *changed, *([arm.context] if arm.context != "default" else [])]
        words += [f"{passes}_passes"] if passes != scale.passes else []
        name = f"students/{'-'.join(map(str, words))}/{data.name.removeprefix('data/')}"
        name += f"/seed{seed}" + (f"/robot{robot}" if robot is not None else "")
        settings = {"network": network, "context": arm.context, "robot": robot, "rows": rows}
        return Step(name, "student", settings, distilling(network, passes * robots * rows), preset, (data,))

    def actor(self, arm: Arm, seed: int, *, main: bool) -> list[Step]:
        """What acts in an arm: a teacher, a network trained by PPO, or students."""
        if arm.network == TEACHER:
            return [self.teacher(arm.teacher)]
        if arm.network != RL:
            return self.students(arm, seed, main=main)
        preset = replace(self.scale.preset, network=HYPERDISTILL, seed=seed)
        preset = replace(preset, ppo=replace(preset.ppo, minutes=self.scale.rl_minutes))
        minutes = min(self.scale.rl_minutes, reinforcing(preset.ppo.max_steps))
        return [Step(f"rl/seed{seed}", "rl", {"robots": TRAIN}, minutes, preset, (self.robots(),))]

    def returns(self, arm: Arm, seed: int, robots: str, *, main: bool) -> Step:
        """Episodes of an arm on a set of robots."""
        scale, actors = self.scale, self.actor(arm, seed, main=main)
        episodes = scale.episodes if main else scale.part_episodes
        preset = replace(scale.preset, evaluate=EvaluateConfig(episodes, scale.episode_steps))
        base = actors[0].name.rsplit("/", 1)[0] + "/each" if arm.alone else actors[0].name
        name = f"returns/{base}/{robots}_{episodes}"
        count = self.counts()[robots]
        minutes = evaluating(actors[0].settings.get("network", ""), count * episodes * scale.episode_steps)
        return Step(name, "returns", {"robots": robots}, minutes, preset, (self.robots(), *actors))
