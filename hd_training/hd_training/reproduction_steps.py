"""What each kind of step of `reproduce` does. Every one can be interrupted and called again: it continues."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.collect import collect
from hd_training.distill import Distillation, distill
from hd_training.evaluate import episode_returns
from hd_training.expert_set import ExpertSet
from hd_training.learner_state import CHECKPOINT
from hd_training.presets import Preset
from hd_training.reproduction_plan import Step
from hd_training.reproduction_robots import GivenRobots, read_set, write_sets
from hd_training.student_files import TRAINING
from hd_training.students import STUDENT, student_policy
from hd_training.teacher_policy import Act, TeacherPolicy
from hd_training.teacher_source import TeacherSource
from hd_training.train import train_universal
from hd_training.train_experts import train_experts
from hd_training.train_teacher import train_teacher

RETURNS = "returns.json"


@dataclass(frozen=True)
class Workplace:
    """Where steps work, and what was given to them."""

    out: Path
    given: GivenRobots
    experts: Path | None = None  # folder of experts that exists
    workers: int | None = None  # threads and processes; None: the preset's
    device: str | None = None  # where networks train; None: the preset's

    def folder(self, step: Step) -> Path:
        """Where a step writes."""
        return self.out / step.name

    def preset(self, step: Step) -> Preset:
        """The step's preset on this machine."""
        changes = {"workers": self.workers, "device": self.device}
        return replace(step.preset, **{name: value for name, value in changes.items() if value is not None})

    def robots(self, step: Step) -> list[Morphology]:
        """The robots that a step works on."""
        return read_set(self.out / "robots", step.settings["robots"], step.settings.get("count"))

    def teacher(self, step: Step) -> Path:
        """The file of a universal teacher, or the folder of experts, that a teacher's step stands for."""
        if step.kind == "given":
            return Path(step.settings["path"])
        return self.folder(step) if step.kind == "experts" else self.folder(step) / CHECKPOINT


def run_step(step: Step, place: Workplace) -> None:
    """Do a step's work, from where an earlier attempt stopped."""
    place.folder(step).mkdir(parents=True, exist_ok=True)
    KINDS[step.kind](step, place)


def make_robots(step: Step, place: Workplace) -> None:
    """Training robots, mutants, test robots and their sets."""
    known = None
    if place.experts is not None:
        known = set(TeacherSource.open(place.experts, []).experts)
    write_sets(place.given, step.settings, place.folder(step), known)


def use_given(step: Step, _place: Workplace) -> None:
    """Nothing but a look whether it is there."""
    if not Path(step.settings["path"]).exists():
        raise HdError(f"the teacher {step.settings['path']} is gone; give it again with --teacher or --experts")


def make_teacher(step: Step, place: Workplace) -> None:
    """The universal teacher: experts, clone and PPO as the preset says."""
    folder = place.folder(step)
    train_universal(place.robots(step), place.preset(step), folder, resume=True, init=None)


def make_experts(step: Step, place: Workplace) -> None:
    """A single-robot teacher for each robot of the set."""
    preset = place.preset(step)
    processes = place.workers or 2
    failures = train_experts(place.robots(step), replace(preset, workers=1), place.folder(step), processes=processes)
    for robot, sentence in failures.items():
        raise HdError(f"expert of {robot}: {sentence}")


def make_rl(step: Step, place: Workplace) -> None:
    """The hypernetwork trained by PPO without a teacher."""
    folder = place.folder(step)
    train_teacher(place.robots(step), place.preset(step), folder, resume=(folder / CHECKPOINT).exists())


def make_data(step: Step, place: Workplace) -> None:
    """Trajectories of a teacher."""
    preset, teacher = place.preset(step), place.teacher(step.needs[1])
    collect(place.robots(step), teacher, preset.collect, place.folder(step), seed=preset.seed + 1,
            workers=preset.workers)  # fmt: skip


def make_student(step: Step, place: Workplace) -> None:
    """A student out of the trajectories that the step needs."""
    data, folder, settings = step.needs[0], place.folder(step), step.settings
    robots = place.robots(data)
    if settings["robot"] is not None:
        robots = [robots[settings["robot"]]]
    job = Distillation(
        robots, place.preset(step), place.folder(data), folder, student=settings["network"],
        context=settings["context"],
    )  # fmt: skip
    distill(job, resume=(folder / TRAINING).exists())


def make_returns(step: Step, place: Workplace) -> None:
    """Episodes of an actor on a set of robots; all actors play the same ones."""
    preset, robots = place.preset(step), place.robots(step)
    torch.set_num_threads(preset.workers)
    returns = episode_returns(robots, actor(step.needs[1:], robots, place), preset.evaluate, workers=preset.workers)
    rows = [
        {"name": robot.name, "body_id": robot.body_id, "returns": np.round(row, 3).tolist()}
        for robot, row in zip(robots, returns, strict=True)
    ]
    path = place.folder(step) / RETURNS
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def actor(actors: tuple[Step, ...], robots: list[Morphology], place: Workplace) -> Act:
    """The policy for these robots of a teacher, a student, or students each for one robot."""
    first = actors[0]
    if first.kind == "student":
        files = [place.folder(step) / STUDENT for step in actors]
        return student_policy(files[0], robots) if len(files) == 1 else together(files, robots)
    path = place.folder(first) / CHECKPOINT if first.kind == "rl" else place.teacher(first)
    source = TeacherSource.open(path, robots)
    if source.experts:
        return ExpertSet.load(path, robots).actor()
    return TeacherPolicy.load(source.path, robots).actor()


def together(files: list[Path], robots: list[Morphology]) -> Act:
    """Students, the n-th for the n-th robot, as one policy."""
    policies = [student_policy(file, [robot]) for file, robot in zip(files, robots, strict=True)]

    def act(observation: np.ndarray) -> np.ndarray:
        actions = np.zeros((*observation.shape[:3], 2), np.float32)
        for index, (policy, robot) in enumerate(zip(policies, robots, strict=True)):
            limbs = len(robot.limbs)
            actions[index, :, :limbs] = policy(observation[index : index + 1, :, :limbs])[0]
        return actions

    return act


KINDS: dict[str, Callable[[Step, Workplace], None]] = {
    "robots": make_robots,
    "given": use_given,
    "teacher": make_teacher,
    "experts": make_experts,
    "rl": make_rl,
    "data": make_data,
    "student": make_student,
    "returns": make_returns,
}
