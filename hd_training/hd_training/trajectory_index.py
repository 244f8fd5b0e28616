"""The index of a dataset of trajectories: which teacher collected what on which robots, and each file's checksum.

The index is written anew, atomically, after every robot, so an interrupted collection continues where it was.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from hd_controller.context import CONTEXT_SET, CONTEXT_SIZE
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SET, OBSERVATION_SIZE
from hd_training.moments import RunningMoments
from hd_training.teacher_source import UNIVERSAL
from hd_training.trajectory_store import SCHEMA_VERSION, file_sha256, trajectory_path

INDEX = "dataset.json"


@dataclass(frozen=True)
class RobotEntry:
    """What the index says about one robot."""

    name: str
    rows: int
    limbs: int
    bytes: int
    sha256: str  # of the file
    teacher_sha256: str  # of the teacher that collected, see teacher_source.py
    episodes: int  # that ended while collecting
    mean_return: float  # of those episodes, with the noise of collection
    observation_mean: list[float]  # (17,) over rows and limbs
    observation_variance: list[float]
    observation_count: int


@dataclass
class DatasetIndex:
    """All about a dataset but the rows themselves."""

    teacher: dict  # kind, sha256; of a universal teacher also its normalisation and training
    collection: dict  # environments, steps, noise_std, seed
    robots: dict[str, RobotEntry] = field(default_factory=dict)  # by body id
    schema_version: int = SCHEMA_VERSION
    observation_set: str = OBSERVATION_SET

    @staticmethod
    def load(folder: Path) -> DatasetIndex:
        """Read a dataset's index.

        Raises:
            HdError: there is none, it is damaged, or it is of another schema or of other observations.
        """
        path = folder / INDEX
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version, observations = content["schema_version"], content["observation_set"]
            if version != SCHEMA_VERSION:
                raise HdError(f"{path} has schema version {version}, expected {SCHEMA_VERSION}; collect anew")
            if observations != OBSERVATION_SET:
                raise HdError(f"{path} holds observations '{observations}', expected '{OBSERVATION_SET}'; collect anew")
            robots = {body: RobotEntry(**entry) for body, entry in content["robots"].items()}
            _check_teacher(content["teacher"], path)
            return DatasetIndex(content["teacher"], content["collection"], robots)
        except HdError:
            raise
        except FileNotFoundError:
            raise HdError(f"no dataset in {folder} ({INDEX} is missing); run collect") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HdError(f"{path} is damaged ({type(error).__name__}: {error}); collect anew") from error

    def save(self, folder: Path) -> None:
        """Write the index, whole or not at all."""
        temporary = folder / (INDEX + ".part")
        temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        temporary.replace(folder / INDEX)

    def fault(self, folder: Path, robot: Morphology) -> str | None:
        """What is wrong with a robot's trajectories, as a part of a sentence; None where they are intact."""
        entry, path = self.robots.get(robot.body_id), trajectory_path(folder, robot.body_id)
        if entry is None:
            return "are missing"
        if not path.exists():
            return f"are missing ({path.name} is gone)"
        if entry.teacher_sha256 != self.teacher.get("sha256", entry.teacher_sha256):
            return "are of another teacher than the dataset's"
        if path.stat().st_size != entry.bytes or file_sha256(path) != entry.sha256:
            return f"are damaged ({path.name} is not what was written)"
        return None

    def require(self, folder: Path, robots: list[Morphology]) -> None:
        """HdError that names the robots whose trajectories are missing or damaged."""
        faults = [f"{robot.name} {fault}" for robot in robots if (fault := self.fault(folder, robot))]
        if faults:
            more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise HdError(f"trajectories in {folder}: those of {', '.join(faults[:3])}{more}; run collect again")

    def require_teacher(self, folder: Path, robots: list[Morphology], fingerprints: dict[str, str]) -> None:
        """HdError unless each robot's trajectories come from the teacher with its fingerprint (by body id)."""
        for robot in robots:
            found, expected = self.robots[robot.body_id].teacher_sha256, fingerprints[robot.body_id]
            if found != expected:
                raise HdError(
                    f"trajectories in {folder}: those of {robot.name} are of another teacher ({found[:12]}, this one "
                    f"is {expected[:12]}); collect anew with --overwrite or name the teacher that collected them"
                )

    def moments(self, robots: list[Morphology]) -> RunningMoments:
        """Mean and variance of all observations of these robots, each robot with equal weight."""
        entries = [self.robots[robot.body_id] for robot in robots]
        means = np.array([entry.observation_mean for entry in entries])
        variances = np.array([entry.observation_variance for entry in entries])
        result = RunningMoments(means.shape[1])
        result.mean = means.mean(axis=0)
        result.variance = variances.mean(axis=0) + means.var(axis=0)
        result.count = float(sum(entry.observation_count for entry in entries))
        return result


def _check_teacher(teacher: dict, path: Path) -> None:
    """Refuse an index whose teacher read other features, or that lacks what training needs of a universal teacher.

    Raises:
        HdError: the features are others.
        ValueError, KeyError, TypeError: something is not there, or of another length.
    """
    if teacher["kind"] != UNIVERSAL:
        return
    features = teacher.get("context_set", CONTEXT_SET)
    if features != CONTEXT_SET:
        raise HdError(f"{path} is of a teacher with context features '{features}', expected '{CONTEXT_SET}'; collect "
                      "anew")  # fmt: skip
    sizes = {name: (teacher[name], CONTEXT_SIZE) for name in ("context_mean", "context_std")}
    sizes |= {f"moments.{name}": (teacher["moments"][name], OBSERVATION_SIZE) for name in ("mean", "variance")}
    for name, (values, size) in sizes.items():
        if len(values) != size:
            raise ValueError(f"{name} of the teacher has {len(values)} numbers, expected {size}")
