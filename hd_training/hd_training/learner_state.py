"""A training run as a checkpoint: make a fresh run, write it down, continue it, start another from its weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hd_controller.context import CONTEXT_SET
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SET
from hd_training.architecture import build_network, describe_architecture, stored_architecture
from hd_training.checkpoint import load_checkpoint, require_equal
from hd_training.engine import Engine
from hd_training.heap_memory import keep_freed_memory
from hd_training.placement import Placement
from hd_training.ppo import PpoLearner
from hd_training.presets import Preset
from hd_training.robot_set import context_moments, normalised_context, padded_context

CHECKPOINT = "teacher.pt"
FEATURES = {"context_set": CONTEXT_SET, "observation_set": OBSERVATION_SET}
"""What the networks' inputs mean; checkpoints of other sets do not fit."""
TEACHER_PARTS = ("teacher", "moments", "context_mean", "context_std", "body_ids")
"""What of a checkpoint or archive is needed to act."""


def context_scale(content: dict) -> tuple[np.ndarray, np.ndarray]:
    """Mean and std (C,) that a checkpoint normalises context with."""
    return np.array(content["context_mean"]), np.array(content["context_std"])


def build_learner(robots: list[Morphology], preset: Preset, content: dict | None = None) -> PpoLearner:
    """A fresh network, engine and optimiser for these robots; context is normalised as in `content`, if given."""
    torch.set_num_threads(preset.workers)
    keep_freed_memory()
    placement, architecture = Placement.of(preset), describe_architecture(preset, robots)
    torch.manual_seed(preset.seed)
    config = preset.ppo
    engine = Engine(robots, environments=config.environments, seed=preset.seed, workers=preset.workers, stagger=True)
    scale = context_moments(robots) if content is None else context_scale(content)
    context = torch.from_numpy(normalised_context(*padded_context(robots), *scale))
    return PpoLearner(
        build_network(architecture), engine, context, config, seed=preset.seed, placement=placement, context_scale=scale
    )


def learner_state(learner: PpoLearner, robots: list[Morphology], preset: Preset, seconds: float) -> dict:
    """Everything needed to continue bitwise equally, as tensors and plain values."""
    mean, std = learner.context_scale
    return {
        **FEATURES,
        "architecture": describe_architecture(preset, robots),
        "preset": json.dumps(preset.to_dict()),
        "body_ids": [robot.body_id for robot in robots],
        "environments": learner.engine.environments,
        "context_mean": mean.tolist(),
        "context_std": std.tolist(),
        "teacher": {name: tensor.cpu() for name, tensor in learner.teacher.state_dict().items()},
        "optimizer": learner.optimizer.state_dict(),
        "moments": learner.moments.state(),
        "scale": [learner.scale.mean, learner.scale.square, learner.scale.updates],
        "generator": learner.generator.get_state(),
        "engine": {name: torch.from_numpy(array) for name, array in learner.engine.state().items()},
        "counters": [learner.steps, learner.iterations, seconds],
        "origin": learner.origin,
    }


def require_features(content: dict, path: Path) -> None:
    """HdError that names the set unless the networks of a checkpoint read the features of this version."""
    for name, expected in FEATURES.items():
        if content.get(name, expected) != expected:
            raise HdError(f"{path} was trained with {name.replace('_', ' ')} '{content[name]}'; this version computes "
                          f"'{expected}': train a teacher with that")  # fmt: skip


def require_fit(content: dict, robots: list[Morphology], preset: Preset, path: Path) -> None:
    """HdError that names the difference unless a run of this preset can use the checkpoint's weights."""
    require_features(content, path)
    require_equal(path, "architecture", stored_architecture(content), describe_architecture(preset, robots))


def restore(learner: PpoLearner, content: dict, robots: list[Morphology], path: Path, preset: Preset) -> float:
    """Put a checkpoint into a fresh learner built with it; returns the seconds already trained."""
    require_fit(content, robots, preset, path)
    require_equal(path, "robot bodies", content["body_ids"], [robot.body_id for robot in robots])
    if "engine" not in content:
        raise HdError(f"{path} is an archive without the state of its training; start from its weights with --init")
    require_equal(path, "environments", content["environments"], learner.engine.environments)
    learner.teacher.load_state_dict(content["teacher"])
    learner.optimizer.load_state_dict(content["optimizer"])
    learner.moments.load(content["moments"])
    learner.scale.mean, learner.scale.square, learner.scale.updates = content["scale"]
    learner.generator.set_state(content["generator"])
    learner.engine.load({name: tensor.numpy() for name, tensor in content["engine"].items()})
    learner.steps, learner.iterations, seconds = content["counters"]
    learner.rate = learner.optimizer.param_groups[0]["lr"]
    learner.origin = content.get("origin", "")
    return seconds


def start_from(learner: PpoLearner, content: dict, robots: list[Morphology], path: Path, preset: Preset) -> None:
    """Take weights, observation statistics and known bodies' return statistics from a checkpoint or archive.

    Its robots may be others; optimiser, counters and simulations stay fresh. The learner was built with `content`, so
    that context means what it meant to these weights.
    """
    require_fit(content, robots, preset, path)
    learner.teacher.load_state_dict(content["teacher"])
    learner.moments.load(content["moments"])
    before = content.get("origin", "")
    learner.origin = f"weights of {path.name} after {content['counters'][0]} steps" + (f" ({before})" if before else "")
    if "scale" not in content:
        return
    mean, square, updates = content["scale"]
    places = {body: index for index, body in enumerate(content["body_ids"])}
    for index, robot in enumerate(robots):
        known = places.get(robot.body_id)
        learner.scale.mean[index] = mean.mean() if known is None else mean[known]
        learner.scale.square[index] = square.mean() if known is None else square[known]
    learner.scale.updates = updates


def load_teacher(path: Path) -> tuple[nn.Module, dict]:
    """The trained teacher and the rest of its checkpoint or archive; HdError for a file that holds none."""
    content = load_checkpoint(path)
    missing = [name for name in TEACHER_PARTS if name not in content]
    if missing:
        raise HdError(f"{path} holds no teacher (it has no '{missing[0]}'); expected a file of train_teacher, "
                      "train_experts, clone_experts or archive_teacher")  # fmt: skip
    require_features(content, path)
    try:
        teacher = build_network(stored_architecture(content))
        teacher.load_state_dict(content["teacher"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise HdError(f"{path}: weights and architecture do not fit together ({str(error).splitlines()[0]})") from error
    return teacher.eval(), content
