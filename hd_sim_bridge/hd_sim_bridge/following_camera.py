"""A camera that goes along with a robot. Needs no ROS."""

from __future__ import annotations

import mujoco
import numpy as np

SMOOTHING = 0.15
"""Part of the way to the robot that the camera goes in each frame."""
JUMP_M = 3.0
"""A robot that far away has been put there: the camera goes there at once."""


class FollowingCamera(mujoco.MjvCamera):
    """Looks at the torso from the side, from where the whole robot is in the picture."""

    def __init__(self, model: mujoco.MjModel) -> None:
        super().__init__()
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        reach = model.geom_rbound[1:, None]  # geom 0 is the floor
        places = data.geom_xpos[1:] if model.ngeom > 1 else data.xpos[1:]
        reach = reach if model.ngeom > 1 else np.zeros((1, 1))
        size = float(np.linalg.norm((places + reach).max(axis=0) - (places - reach).min(axis=0)))
        self.distance, self.azimuth, self.elevation = 1.0 + 1.3 * size, 110.0, -18.0
        self._height = 0.5 * float(data.xpos[1, 2])
        self._known = False

    def follow(self, torso: np.ndarray) -> None:
        """One frame later the torso is at (3,) [m] in the world."""
        target = np.array([torso[0], torso[1], self._height])
        way = target - self.lookat
        near = self._known and float(np.linalg.norm(way)) < JUMP_M
        self.lookat[:] = self.lookat + SMOOTHING * way if near else target
        self._known = True
