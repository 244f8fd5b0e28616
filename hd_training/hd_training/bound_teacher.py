"""A teacher bound to the robot of one description, in the form that the robot's controller runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hd_controller.description_hash import description_sha256
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_controller.urdf_reader import read_urdf
from hd_training.architecture import stored_architecture
from hd_training.presets import EXPERT
from hd_training.teacher_policy import Act, TeacherPolicy
from hd_training.teacher_source import TeacherSource

OF_ONE_PLACE = (EXPERT, "single_robot_mlp")
"""Networks that know one robot by its place and nothing of its body."""


class TeacherNetwork:
    """A teacher's mean actions for one robot, one state at a time."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def act(self, observation: np.ndarray) -> np.ndarray:
        """(L * 2,) mean action of each joint slot for an observation (L, 17), in float32 as in training."""
        return self._act(observation[None, None].astype(np.float32)).reshape(-1)


@dataclass(frozen=True)
class BoundTeacher:
    """What `hd_controller.runnable_policy.RunnablePolicy` asks for; a teacher knows its bodies, not their ranges."""

    morphology: Morphology
    description_sha256: str
    teacher: TeacherPolicy
    fingerprint: str
    """SHA-256 (hex) of the teacher's weights and normalisation."""
    trained_bodies: frozenset[str]
    notes: tuple[str, ...] = ()
    control_period_s: float = CONTROL_PERIOD_S

    @property
    def robot_id(self) -> str:
        """Identity of the robot."""
        return self.morphology.robot_id

    @property
    def joint_names(self) -> tuple[str, ...]:
        """J names, in the order of efforts."""
        return self.morphology.joint_names

    @property
    def effort_limits(self) -> np.ndarray:
        """(J,) [N m]."""
        return self.morphology.effort_limits

    @property
    def generator_id(self) -> str:
        """The teacher, told apart from generators."""
        return f"teacher {self.fingerprint}"

    @property
    def in_distribution(self) -> bool:
        """Whether the teacher was trained with this very body."""
        return self.morphology.body_id in self.trained_bodies

    @property
    def coverage(self) -> dict:
        """See `hd_controller.coverage.coverage_report`; without ranges, there is no share of numbers inside."""
        outside = f"The teacher was trained with {len(self.trained_bodies)} bodies, and this one is none of them."
        return {
            "in_distribution": self.in_distribution,
            "outside": [] if self.in_distribution else [outside],
            "notes": list(self.notes),
        }

    @cached_property
    def checksum(self) -> str:
        """SHA-256 (hex) of teacher, robot and description."""
        parts = (self.fingerprint, self.robot_id, self.description_sha256)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def policy(self) -> TeacherNetwork:
        """The network, with all that depends on the body alone computed once."""
        return TeacherNetwork(self.teacher.actor())


def bind_teacher(source: TeacherSource, description: str) -> BoundTeacher:
    """The teacher of the robot in a URDF text.

    Raises:
        MorphologyError: the description is refused.
        HdError: the file holds no teacher for this robot, or one whose inputs mean something else.
    """
    notes: list[str] = []
    robot = read_urdf(description, notes=notes)
    path = _file_for(source, robot)
    network, content, fingerprint = source.load(robot)
    trained = frozenset(content["body_ids"])
    if stored_architecture(content)["network"] in OF_ONE_PLACE and (robot.body_id not in trained or len(trained) != 1):
        whose = "one other robot" if len(trained) == 1 else "a fixed list of robots"
        raise HdError(f"{path} is the teacher of {whose}, not of '{robot.name}'; give a universal teacher, or a folder "
                      "of experts with one for it")  # fmt: skip
    teacher = TeacherPolicy.bind(network, content, [robot])
    return BoundTeacher(robot, description_sha256(description), teacher, fingerprint, trained, tuple(notes))


def _file_for(source: TeacherSource, robot: Morphology) -> Path:
    """The checkpoint that acts for a robot; HdError where a folder of experts has none."""
    if source.experts and robot.body_id not in source.experts:
        raise HdError(f"{source.path} holds {len(source.experts)} experts, none for '{robot.name}'; train one, or give "
                      "a universal teacher")  # fmt: skip
    return source.file(robot)


def open_teacher(path: Path) -> TeacherSource:
    """A teacher's file or folder, read once so that a wrong one is refused at the start; raises HdError."""
    source = TeacherSource.open(path, [])
    if not source.experts:
        source.load_file(source.path)
    return source

