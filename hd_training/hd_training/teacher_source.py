"""Where a dataset's teacher comes from: one universal teacher, or a folder of experts, each of one robot.

A universal teacher is a checkpoint or archive. Experts lie in FOLDER/NAME/teacher.pt as `train_experts` writes them and
are matched with robots by body id, never by name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import nn

from hd_controller.context import CONTEXT_SET
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.checkpoint import load_checkpoint
from hd_training.learner_state import CHECKPOINT, load_teacher

UNIVERSAL, EXPERTS = "universal", "experts"


@dataclass(frozen=True)
class TeacherSource:
    """A universal teacher's file, or the experts' files by body id."""

    path: Path
    experts: dict[str, Path] = field(default_factory=dict)

    @staticmethod
    def open(path: Path, robots: list[Morphology]) -> TeacherSource:
        """The teacher in a file or run folder, or the experts in a folder.

        Raises:
            HdError: there is no teacher, or a robot has no expert or two.
        """
        if (path / CHECKPOINT).is_file():
            return TeacherSource(path / CHECKPOINT)
        if not path.is_dir():
            if not path.is_file():
                raise HdError(f"no teacher at {path}; expected a checkpoint, an archive or a folder of experts")
            return TeacherSource(path)
        experts = _experts(path)
        missing = [robot.name for robot in robots if robot.body_id not in experts]
        if missing:
            names = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            raise HdError(
                f"{path} holds {len(experts)} experts (NAME/{CHECKPOINT}), none for {names}; train them or leave "
                "these robots out"
            )
        return TeacherSource(path, experts)

    @property
    def kind(self) -> str:
        """'universal' or 'experts'."""
        return EXPERTS if self.experts else UNIVERSAL

    def file(self, robot: Morphology) -> Path:
        """The checkpoint that acts for a robot."""
        return self.experts[robot.body_id] if self.experts else self.path

    def load(self, robot: Morphology) -> tuple[nn.Module, dict, str]:
        """Network, content and fingerprint of a robot's teacher; the last one is kept in memory."""
        return self.load_file(self.file(robot))

    @staticmethod
    def load_file(path: Path) -> tuple[nn.Module, dict, str]:
        """As `load`, of a file."""
        return _loaded(path, path.stat().st_mtime_ns)

    def fingerprints(self, robots: list[Morphology]) -> dict[str, str]:
        """SHA-256 of each robot's teacher, by body id."""
        return {robot.body_id: self.load(robot)[2] for robot in robots}

    def describe(self, robots: list[Morphology]) -> dict:
        """What a dataset's index says about its teacher, its normalisation included where it has one for all."""
        if self.experts:
            prints = self.fingerprints(robots)
            return {"kind": EXPERTS, "experts": len(set(prints.values()))}
        _, content, fingerprint = self.load(robots[0])
        kept = {name: content[name] for name in ("context_mean", "context_std", "moments", "counters")}
        return {"kind": UNIVERSAL, "sha256": fingerprint, "context_set": CONTEXT_SET, **kept}


def _experts(folder: Path) -> dict[str, Path]:
    """Files of the experts in a folder by the body id of their robot."""
    found: dict[str, Path] = {}
    for file in sorted(folder.glob(f"*/{CHECKPOINT}")):
        for body in load_checkpoint(file)["body_ids"]:
            if body in found:
                raise HdError(f"{found[body]} and {file} are both experts of one body; move one of them away")
            found[body] = file
    if not found:
        raise HdError(f"no teacher in {folder}: neither {CHECKPOINT} nor NAME/{CHECKPOINT}; train one first")
    return found


@lru_cache(maxsize=1)
def _loaded(path: Path, _changed_ns: int) -> tuple[nn.Module, dict, str]:
    teacher, content = load_teacher(path)
    return teacher, content, fingerprint(teacher, content)


def fingerprint(teacher: nn.Module, content: dict) -> str:
    """SHA-256 (hex) of all that decides about a teacher's actions: weights and normalisation."""
    digest = hashlib.sha256()
    for name, tensor in sorted(teacher.state_dict().items()):
        digest.update(name.encode() + tensor.float().numpy().tobytes())
    moments = content["moments"]
    for values in (content["context_mean"], content["context_std"], moments["mean"], moments["variance"]):
        digest.update(np.asarray(values, np.float64).tobytes())
    return digest.hexdigest()
