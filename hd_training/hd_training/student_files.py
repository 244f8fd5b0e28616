"""A distillation on disk: the student to use, and the training state to continue from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SET
from hd_training.checkpoint import load_checkpoint, require_equal, save_checkpoint
from hd_training.distiller import Distiller
from hd_training.input_scale import InputScale
from hd_training.presets import Preset
from hd_training.students import STUDENT, load_student
from hd_training.trajectory_index import DatasetIndex
from hd_training.trajectory_store import file_sha256

TRAINING = "student_training.pt"
FIXED = ("description", "context", "observation_set", "body_ids", "dataset_sha256", "batches")
"""Facts that a resumed run must share with the one it continues."""


def run_facts(
    preset: Preset, robots: list[Morphology], index: DatasetIndex, scale: InputScale, description: dict
) -> dict:
    """What a student's file says about where it comes from, as plain values."""
    entries = [index.robots[robot.body_id] for robot in robots]
    digest = hashlib.sha256("".join(entry.sha256 for entry in entries).encode()).hexdigest()
    config = preset.distill
    rows = config.rows or min(entry.rows for entry in entries)
    return {
        "description": description,
        **scale.state(),
        "observation_set": OBSERVATION_SET,
        "body_ids": [robot.body_id for robot in robots],
        "names": [robot.name for robot in robots],
        "preset": json.dumps(preset.to_dict()),
        "teacher": index.teacher,
        "collection": index.collection,
        "dataset_sha256": digest,
        "batches": {"seed": preset.seed, "robots": config.robots, "samples": config.samples, "rows": rows,
                    "averaging": config.averaging},
        "samples": rows * len(robots),
        "origin": None,  # of the weights that training began with, where they were another student's
    }  # fmt: skip


class StudentFiles:
    """The two files of a run in one folder."""

    def __init__(self, folder: Path, facts: dict) -> None:
        """`facts` as `run_facts` gives them."""
        self.student, self.training, self.facts = folder / STUDENT, folder / TRAINING, facts

    def save(self, distiller: Distiller) -> None:
        """Write both, each whole or not at all."""
        save_checkpoint(self.training, {**self.facts, "training": distiller.state()})
        weights = {name: tensor.detach().cpu() for name, tensor in distiller.result.state_dict().items()}
        progress = {"updates": distiller.updates, "seconds": distiller.seconds, "loss": distiller.mean_loss}
        save_checkpoint(self.student, {**self.facts, "student": weights, "progress": progress})

    def load_into(self, distiller: Distiller) -> None:
        """Continue the run in the folder; HdError names what does not fit."""
        content = load_checkpoint(self.training)
        for name in FIXED:
            require_equal(self.training, name.replace("_", " "), content.get(name), self.facts[name])
        distiller.load(content["training"])
        self.facts["origin"] = content.get("origin")

    def begin_with(self, path: Path, distiller: Distiller) -> None:
        """Take the weights of another student; HdError where it differs in sizes or in what it reads."""
        student, content = load_student(path)
        for name in ("description", "context", "observation_set", "context_mean", "context_std", "moments"):
            require_equal(path, name.replace("_", " "), content.get(name), self.facts[name])
        distiller.begin_with(student)
        updates, minutes = content["progress"]["updates"], round(content["progress"]["seconds"] / 60, 1)
        self.facts["origin"] = {"student_sha256": file_sha256(path), "updates": updates, "minutes": minutes,
                                "dataset_sha256": content["dataset_sha256"], "origin": content.get("origin")}

    def diverged(self, distiller: Distiller, good: dict, reason: HdError) -> HdError:
        """Go back to the last good state, write it, and say so."""
        distiller.load(good)
        self.save(distiller)
        return HdError(
            f"the student diverged: {reason}; {self.student} holds its last good weights, after {distiller.updates} "
            f"updates: resume with a lower learning rate than {distiller.config.learning_rate:g}"
        )
