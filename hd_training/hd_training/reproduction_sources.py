"""What a reproduction is given, robots and teachers, with digests; and what its results say about their origin."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import asdict
from pathlib import Path

import mujoco
import numpy as np
import torch

from hd_controller.errors import HdError
from hd_training.checkpoint import load_checkpoint
from hd_training.export_bundle import git_revision
from hd_training.learner_state import CHECKPOINT
from hd_training.reproduction_plan import Planner, Sources
from hd_training.reproduction_robots import GivenRobots
from hd_training.trajectory_store import file_sha256


def teacher_file(path: Path) -> Path:
    """The file of a universal teacher, given as such or as the folder of its run; HdError where there is none."""
    file = path / CHECKPOINT if path.is_dir() else path
    if not file.is_file():
        raise HdError(f"no universal teacher at {path}; give a checkpoint, an archive or the folder of a run")
    return file


def expert_files(folder: Path) -> list[Path]:
    """Checkpoints of the experts in a folder; HdError where there are none."""
    files = sorted(folder.glob(f"*/{CHECKPOINT}"))
    if not files:
        raise HdError(f"{folder} holds no ROBOT/{CHECKPOINT}; give a folder that train_experts wrote")
    return files


def known_bodies(teacher: Path | None, experts: Path | None) -> set[str]:
    """Bodies (ids) that the given teachers were trained with."""
    files = [teacher_file(teacher)] if teacher is not None else []
    files += expert_files(experts) if experts is not None else []
    return {body for file in files for body in load_checkpoint(file)["body_ids"]}


def given_sources(given: GivenRobots, teacher: Path | None, experts: Path | None) -> Sources:
    """Robots and teachers of the command line with digests."""
    universal = folder = None
    if teacher is not None:
        file = teacher_file(teacher)
        universal = (str(file.resolve()), file_sha256(file))
    if experts is not None:
        digest = hashlib.sha256("".join(file_sha256(file) for file in expert_files(experts)).encode()).hexdigest()
        folder = (str(experts.resolve()), digest)
    return Sources(given.sha256, len(given.training), len(given.test), universal, folder)


def planned_origin(planner: Planner) -> dict:
    """What an experiment's results were asked of, as plain values: scale, seeds, robots."""
    return {
        "scale": _finite(asdict(planner.scale)),
        "seeds": planner.seeds,
        "robots_sha256": planner.sources.robots_sha256,
        "robots": planner.counts(),
    }


def versions() -> dict:
    """Revision of this project, versions of what computes, and number of cores."""
    return {
        "git_revision": git_revision(),
        "mujoco": mujoco.__version__,
        "numpy": np.__version__,
        "torch": torch.__version__,
        "cores": os.cpu_count(),
    }


def about_teacher(path: Path) -> dict:
    """Name, digests and training of a teacher or of a folder of experts."""
    files = expert_files(path) if path.is_dir() else [path]
    contents = [load_checkpoint(file) for file in files]
    digest = hashlib.sha256("".join(file_sha256(file) for file in files).encode()).hexdigest()
    return {
        "name": path.name,
        "sha256": file_sha256(path) if path.is_file() else digest,
        "robots": len({body for content in contents for body in content["body_ids"]}),
        "steps": sum(int(content["counters"][0]) for content in contents),
        "origins": sorted({content.get("origin", "") for content in contents} - {""}),
    }


def _finite(value):
    """The same with None for infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and math.isinf(value) else value
