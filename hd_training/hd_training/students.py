"""The students that distillation trains, by name, on one interface: bodies to weights, observations to mean actions.

`hyperdistill` is the hypernetwork; `compact` the project's own transformer; the others are the papers' networks
(`modumorph` is the oracle of the paper, `transformer` its TF). A student knows nothing of action noise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.checkpoint import load_checkpoint
from hd_training.hypernetwork import Hypernetwork
from hd_training.input_scale import Bodies, InputScale
from hd_training.network_sizes import PAPER_LIMBS, SLOTS
from hd_training.paper_networks import NETWORKS, NetworkInputs
from hd_training.presets import COMPACT, HYPERDISTILL, Preset, StudentConfig, TeacherConfig
from hd_training.teacher import Actor
from hd_training.teacher_policy import Act

STUDENT = "student.pt"
STUDENTS = (HYPERDISTILL, COMPACT, *sorted(name for name in NETWORKS if name != "single_robot_mlp"))


@dataclass(frozen=True)
class StudentWeights:
    """What a student generated for R robots."""

    network: Any
    valid: Tensor  # (R, L) bool


class Student(nn.Module):
    """A network over limbs as a deterministic policy."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @property
    def works_on_padding(self) -> bool:
        """Whether a padding limb costs as much as one that exists."""
        return getattr(self.network, "works_on_padding", False)

    def generate(self, bodies: Bodies) -> StudentWeights:
        """All that depends on R bodies alone."""
        more = (bodies.adjacency,) if getattr(self.network, "uses_adjacency", False) else ()
        return StudentWeights(self.network.generate(bodies.context, bodies.valid, *more), bodies.valid)

    def forward(self, weights: StudentWeights, observation: Tensor) -> Tensor:
        """Mean actions (R, S, L, A) for normalised observations (R, S, L, F); zero for padding limbs."""
        mean = self.network(weights.network, observation)
        return mean.masked_fill(~weights.valid[:, None, :, None], 0.0)


def describe_student(network: str, preset: Preset, context_size: int, limbs: int) -> dict:
    """Name and sizes of a student as plain values; HdError for an unknown name."""
    if network not in STUDENTS:
        raise HdError(f"student '{network}' is unknown, expected one of {', '.join(STUDENTS)}")
    sizes = {HYPERDISTILL: preset.student, COMPACT: preset.teacher}
    own = asdict(sizes[network]) if network in sizes else {"max_limbs": max(PAPER_LIMBS, limbs)}
    return {"network": network, "context_size": context_size, **own}


def build_student(description: dict) -> Student:
    """A student with freshly drawn weights (torch's global generator)."""
    sizes = dict(description)
    network, context_size = sizes.pop("network"), sizes.pop("context_size")
    if network == HYPERDISTILL:
        return Student(Hypernetwork(StudentConfig(**sizes), context_size=context_size))
    if network == COMPACT:
        return Student(Actor(TeacherConfig(**sizes), context_size))
    return Student(NETWORKS[network](NetworkInputs(context_size=context_size, **sizes), SLOTS))


def load_student(path: Path) -> tuple[Student, dict]:
    """A trained student, in evaluation mode, and its whole file."""
    content = load_checkpoint(path)
    if "student" not in content:
        raise HdError(f"{path} holds no student; expected a {STUDENT} written by distill")
    student = build_student(content["description"])
    student.load_state_dict(content["student"])
    return student.eval(), content


def student_actor(student: Student, scale: InputScale, robots: list[Morphology]) -> Act:
    """A function from raw observations (R, E, L, 17) of these robots to the student's actions."""
    bodies = scale.bodies(robots)
    device = next(student.parameters()).device
    with torch.no_grad():
        weights = student.generate(bodies.to(device))

    def act(observation: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            rows = scale.moments.normalise(torch.from_numpy(observation)) * bodies.valid[:, None, :, None]
            return student(weights, rows.to(device)).cpu().numpy()

    return act


def student_policy(path: Path, robots: list[Morphology]) -> Act:
    """The policy of a student's file for these robots."""
    student, content = load_student(path)
    return student_actor(student, InputScale.load(content), robots)
