"""Guards that look at a state in run: tilt and height of the torso, and sensors that show the same numbers for ever."""

from __future__ import annotations

import math

import numpy as np

from hd_controller.guard_settings import GuardSettings
from hd_controller.kinematics import RobotState


def tilt_rad(orientation: np.ndarray) -> float:
    """Angle between the torso's z axis and the vertical [rad], 0 to pi; orientation (4,) w, x, y, z of any length."""
    w, x, y, z = (float(value) for value in orientation)
    square = w * w + x * x + y * y + z * z
    return math.acos(min(1.0, max(-1.0, 1.0 - 2.0 * (x * x + y * y) / square)))


class PostureGuard:
    """Says why a robot must not go on; comparisons are such that a value which is no number counts as a violation."""

    def __init__(self, settings: GuardSettings, standing_height: float) -> None:
        """standing_height [m]."""
        self._settings = settings
        self._lowest = settings.min_height * standing_height
        self._frozen_ns = round(settings.frozen_timeout * 1e9)
        self._last: list[np.ndarray] = []
        self._since_ns = [0, 0]

    def begin(self) -> None:
        """Run begins: what was shown before does not count."""
        self._last = []

    def problem(self, state: RobotState) -> tuple[str, str] | None:
        """(guard, sentence) when the robot must leave run."""
        limits = self._settings
        if limits.max_tilt and not tilt_rad(state.orientation) <= limits.max_tilt:
            return "tilt", f"the torso is tilted by {tilt_rad(state.orientation):.2f} rad; {limits.max_tilt:g} allowed"
        if limits.min_height and not float(state.position[2]) > self._lowest:
            return "base_height", f"the torso is {state.position[2]:.3f} m high; more than {self._lowest:.3f} m allowed"
        return self._frozen(state) if limits.frozen_timeout else None

    def _frozen(self, state: RobotState) -> tuple[str, str] | None:
        """Compare with the state before, bit by bit: sensors of a robot in run are never quite at rest.

        Time is that of the stamps, so that states left out do not make it longer.
        """
        shown = [np.concatenate([state.joint_positions, state.joint_velocities]),
                 np.concatenate([state.orientation, state.linear_velocity, state.angular_velocity])]
        for place, (name, values) in enumerate(zip(("joints", "torso"), shown, strict=True)):
            if not (self._last and np.array_equal(values, self._last[place])):
                self._since_ns[place] = state.stamp_ns
            elif state.stamp_ns - self._since_ns[place] >= self._frozen_ns:
                return "frozen", f"the sensors of the {name} have shown the same numbers for " \
                                 f"{self._settings.frozen_timeout:g} s"
        self._last = shown
        return None
