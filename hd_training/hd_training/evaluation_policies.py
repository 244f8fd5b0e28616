"""What `evaluate` compares: zero and random actions, a teacher's mean and sampled actions, generated policies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from hd_controller.context import context_features
from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_training.expert_set import ExpertSet
from hd_training.students import student_policy
from hd_training.teacher_policy import Act, TeacherPolicy
from hd_training.teacher_source import TeacherSource

EVALUATION_SEED = 10_000
PROCESSOR = torch.device("cpu")


def zero_policy(observation: np.ndarray) -> np.ndarray:
    """No effort."""
    return np.zeros((*observation.shape[:3], 2), np.float32)


def random_policy(seed: int) -> Act:
    """Actions uniform in [-1, 1], drawn anew at every step."""
    rng = np.random.default_rng(seed)
    return lambda observation: rng.uniform(-1, 1, (*observation.shape[:3], 2))


def generated_policy(bundle: GeneratorBundle, robots: list[Morphology]) -> Act:
    """The policies that a generator bundle writes for these robots, each applied to its batch of environments."""
    networks = [bundle.layers(context_features(robot)) for robot in robots]
    mean, std, clip = bundle.observation_mean, bundle.observation_std, bundle.observation_clip

    def act(observation: np.ndarray) -> np.ndarray:
        actions = np.zeros((*observation.shape[:3], 2), np.float32)
        for index, (robot, layers) in enumerate(zip(robots, networks, strict=True)):
            limbs = len(robot.limbs)
            rows = ((observation[index, :, :limbs] - mean) / std).clip(-clip, clip).astype(np.float32)
            values = rows.reshape(len(rows), -1)
            for weight, bias in layers[:-1]:
                values = np.maximum(values @ weight + bias, 0.0)
            values = values @ layers[-1][0] + layers[-1][1]
            actions[index, :, :limbs] = values.reshape(len(rows), limbs, 2)
        return actions

    return act


def standard_policies(
    robots: list[Morphology], teacher: Path | None, generator: Path | None, *, seed: int = EVALUATION_SEED,
    students: dict[str, Path] | None = None, device: torch.device = PROCESSOR,
) -> dict[str, Act]:  # fmt: skip
    """Zero, random, and what is given and exists of teacher and student.

    A teacher is a checkpoint, an archive or a folder of experts; a student is the folder of a generator bundle, and
    `students` are files written by `distill`, by the name that the policy gets. `device` is where a universal teacher
    runs; all else runs on the processor.
    """
    policies: dict[str, Act] = {"zero": zero_policy, "random": random_policy(seed)}
    if teacher is not None and teacher.exists():
        source = TeacherSource.open(teacher, robots)
        if source.experts:
            policy = ExpertSet.load(teacher, robots)
        else:
            policy = TeacherPolicy.load(source.path, robots).on(device)
        policies["teacher"], policies["teacher_sampled"] = policy.actor(), policy.sampling_actor(seed)
    if generator is not None and generator.exists():
        policies["student"] = generated_policy(GeneratorBundle.load(generator), robots)
    for name, path in (students or {}).items():
        policies[name] = student_policy(path, robots)
    return policies


def require_exists(path: Path | None, option: str) -> None:
    """HdError for a path that was asked for and is not there."""
    if path is not None and not path.exists():
        raise HdError(f"{path} does not exist; give what to evaluate with {option}")
