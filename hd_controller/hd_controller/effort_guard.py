"""Last stage before an effort leaves the controller on hardware: limits that look at the joint's state."""

from __future__ import annotations

import numpy as np


def guard_efforts(efforts: np.ndarray, positions: np.ndarray, velocities: np.ndarray, joint_ranges: np.ndarray,
                  velocity_limits: np.ndarray, effort_limits: np.ndarray) -> int:
    """Limit efforts in place; returns how many joints were touched.

    efforts, effort_limits (J,) [N m], positions (J,) [rad], velocities, velocity_limits (J,) [rad/s], joint_ranges
    (J, 2) [rad]. Beyond a position bound no effort pushes further out; above the velocity limit none accelerates.
    """
    before = efforts.copy()
    np.clip(efforts, -effort_limits, effort_limits, out=efforts)
    efforts[(positions <= joint_ranges[:, 0]) & (efforts < 0)] = 0.0
    efforts[(positions >= joint_ranges[:, 1]) & (efforts > 0)] = 0.0
    efforts[(np.abs(velocities) >= velocity_limits) & (efforts * velocities > 0)] = 0.0
    return int(np.count_nonzero(before != efforts))
