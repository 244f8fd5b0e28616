"""Last stage before efforts leave the controller: limits of size, rate, joint position and joint velocity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hd_controller.guard_counters import GuardCounters
from hd_controller.guard_settings import GuardSettings
from hd_controller.morphology import Morphology


def limit_rate(efforts: np.ndarray, before: np.ndarray, largest_change: np.ndarray) -> None:
    """Keep efforts (J,) in place within `largest_change` (J,) of those of the step before (J,) [N m]."""
    np.clip(efforts, before - largest_change, before + largest_change, out=efforts)


def limit_at_bounds(efforts: np.ndarray, positions: np.ndarray, joint_ranges: np.ndarray, margin: float) -> None:
    """Let no effort push a joint out of its range, in place.

    efforts (J,) [N m], positions (J,), joint_ranges (J, 2) [rad]. An effort towards a bound fades linearly to zero over
    `margin` [rad] before it and is zero at the bound and beyond.
    """
    room = np.where(efforts < 0, positions - joint_ranges[:, 0], joint_ranges[:, 1] - positions)
    if margin > 0:
        efforts *= np.clip(room / margin, 0.0, 1.0)
    else:
        efforts[~(room > 0)] = 0.0


def limit_at_speed(efforts: np.ndarray, velocities: np.ndarray, velocity_limits: np.ndarray) -> None:
    """Let no effort (J,) accelerate a joint at or above its velocity limit (J,) [rad/s], in place."""
    efforts[~(np.abs(velocities) < velocity_limits) & (efforts * velocities > 0)] = 0.0


class EffortGuard:
    """All effort guards of one robot in their order; owns its buffers, so one instance serves one thread."""

    def __init__(self, settings: GuardSettings, body: Morphology, effort_limits: np.ndarray, control_period_s: float,
                 counters: GuardCounters) -> None:
        """effort_limits (J,) [N m] in the order of the body's joints."""
        self._settings = settings
        self._counters = counters
        self._names = body.joint_names
        self._ranges = body.joint_ranges
        self._limits = np.asarray(effort_limits, dtype=float) * settings.effort_scale
        self._largest_change = np.asarray(effort_limits, dtype=float) * settings.effort_rate_limit * control_period_s
        self._velocity_limits = body.velocity_limits * settings.velocity_scale
        self._ramp_steps = settings.start_ramp / control_period_s
        self._step = 0
        self._before = np.zeros(len(self._limits))
        self._lower_limits = -self._limits

    def begin(self) -> None:
        """The policy starts: the ramp begins with the next step."""
        self._step = 0
        if self._ramp_steps:
            self._counters.trip("start_ramp", f"efforts grow over {self._settings.start_ramp:g} s")

    @property
    def ramping(self) -> bool:
        """Whether the next efforts still grow out of the damping command."""
        return self._step + 1 < self._ramp_steps

    def limit(self, efforts: np.ndarray, damping: np.ndarray, positions: np.ndarray, velocities: np.ndarray) -> None:
        """Limit the policy's efforts (J,) in place; damping (J,) [N m] is what they grow from while `ramping`."""
        settings = self._settings
        self._step += 1
        share = min(1.0, self._step / self._ramp_steps) if self._ramp_steps else 1.0
        if share < 1.0:
            efforts *= share
            efforts += (1.0 - share) * damping
        self.limit_size(efforts)
        if settings.effort_rate_limit:
            self._counted("effort_rate", efforts, lambda: limit_rate(efforts, self._before, self._largest_change))
        if settings.velocity_scale:
            self._counted("velocity_limit", efforts, lambda: limit_at_speed(efforts, velocities, self._velocity_limits))
        if settings.position_guard:
            self._counted("position_bound", efforts, lambda: limit_at_bounds(efforts, positions, self._ranges,
                                                                             settings.position_margin))
        self._before[:] = efforts

    def limit_size(self, efforts: np.ndarray) -> None:
        """Clip efforts (J,) [N m] in place to their share of the joints' limits."""
        self._counted("effort", efforts, lambda: self._clip(efforts))

    def _clip(self, efforts: np.ndarray) -> None:
        np.maximum(efforts, self._lower_limits, out=efforts)
        np.minimum(efforts, self._limits, out=efforts)

    def sent(self, efforts: np.ndarray) -> None:
        """Efforts (J,) that were sent without the policy: the next change counts from them."""
        self._before[:] = efforts

    def _counted(self, guard: str, efforts: np.ndarray, act: Callable[[], object]) -> None:
        """Let a guard act and count it once for a command that it changed."""
        before = efforts.tobytes()
        act()
        if efforts.tobytes() == before:
            return
        changed = np.frombuffer(before) != efforts
        if changed.any():
            self._counters.trip(guard, f"effort of joint {self._names[int(np.argmax(changed))]} was limited")
