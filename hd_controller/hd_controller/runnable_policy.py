"""What the controller asks of a policy, whoever made it: a generated `PolicyBundle`, or a teacher bound to a robot."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hd_controller.morphology import Morphology


class Network(Protocol):
    """A policy's network, ready to act; one instance serves one thread."""

    def act(self, observation: np.ndarray) -> np.ndarray:
        """(L * 2,) mean action of each joint slot for an observation (L, 17), valid until the next call."""


class RunnablePolicy(Protocol):
    """A policy of one robot, made for one description; see `PolicyBundle` for what each entry means."""

    @property
    def robot_id(self) -> str:
        """Identity of the robot: its body and its joint names in order."""

    @property
    def description_sha256(self) -> str:
        """SHA-256 (hex) of the description text that the policy is for."""

    @property
    def morphology(self) -> Morphology:
        """The body."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """J names, in the order of efforts."""

    @property
    def effort_limits(self) -> np.ndarray:
        """(J,) [N m]."""

    @property
    def control_period_s(self) -> float:
        """Seconds between two steps."""

    @property
    def generator_id(self) -> str:
        """Identity of what made the policy."""

    @property
    def coverage(self) -> dict:
        """See `coverage.coverage_report`."""

    @property
    def in_distribution(self) -> bool:
        """Whether the body lies inside what the policy's maker was trained on."""

    @property
    def checksum(self) -> str:
        """SHA-256 (hex) of all that decides about the policy's actions."""

    def policy(self) -> Network:
        """The network, ready to act."""
