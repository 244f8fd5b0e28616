"""From commanded efforts to those that act on the joints. Needs no ROS; deterministic for a seed."""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from hd_controller.mujoco_model import FRAME_SKIP, PHYSICS_STEP_S
from hd_sim_bridge.imperfections import Imperfections, whole_number

ACTUATOR_STREAM = 3


@dataclass(frozen=True)
class Drive:
    """Efforts of one control period: `before` acts for the first `before_steps` physics steps, then `efforts`."""

    efforts: np.ndarray
    """(J,) [N m]"""
    before: np.ndarray
    """(J,) [N m]"""
    before_steps: int = 0


class ActuatorModel:
    """Noise and delay of the motors. With both off, commanded efforts act at once and as they are."""

    def __init__(self, effort_limits: np.ndarray, imperfections: Imperfections, seed: int) -> None:
        """effort_limits (J,) [N m]."""
        steps = whole_number("actuator_delay", imperfections.actuator_delay_s, PHYSICS_STEP_S)
        self._periods, self._before_steps = divmod(steps, FRAME_SKIP)
        self._deviation = imperfections.effort_noise * np.asarray(effort_limits, dtype=float)
        self._random = np.random.default_rng((seed, ACTUATOR_STREAM))
        self._line: deque[np.ndarray] = deque(maxlen=self._periods + 2)
        self.spawned()

    def spawned(self, seed: int | None = None) -> None:
        """The robot begins anew with motors at rest; a seed begins the chance anew, too."""
        if seed is not None:
            self._random = np.random.default_rng((seed, ACTUATOR_STREAM))
        self._line.extend(np.zeros_like(self._deviation) for _ in range(self._periods + 2))

    def drive(self, efforts: np.ndarray) -> Drive:
        """What acts in the control period that begins with this command (J,) [N m]."""
        if self._deviation.any():
            efforts = efforts + self._deviation * self._random.normal(size=len(efforts))
        elif not self._periods and not self._before_steps:
            return Drive(efforts, efforts)
        self._line.append(efforts.copy())
        return Drive(self._line[1], self._line[0], self._before_steps)

    def snapshot(self) -> dict[str, Any]:
        """All that decides the coming efforts; a copy."""
        return copy.deepcopy({name: vars(self)[name] for name in ("_line", "_random")})

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go on as from the snapshot."""
        vars(self).update(copy.deepcopy(snapshot))
