"""A body that is not quite the described one: friction and masses drawn around their values. Needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from hd_sim_bridge.imperfections import Imperfections

BODY_STREAM = 4


@dataclass(frozen=True)
class BodyFactors:
    """What the described body is multiplied by."""

    friction: float
    mass: np.ndarray
    """(L,) one factor for each limb's mass and inertia"""


class BodyRandomiser:
    """Changes a compiled model at every spawn; without any spread it never touches the model."""

    def __init__(self, model: mujoco.MjModel, imperfections: Imperfections, seed: int) -> None:
        self._model = model
        self._friction_spread = imperfections.friction_spread
        self._mass_spread = imperfections.mass_spread
        self._random = np.random.default_rng((seed, BODY_STREAM))
        self._friction = model.geom_friction.copy()
        self._mass = model.body_mass.copy()
        self._inertia = model.body_inertia.copy()
        self.factors = BodyFactors(1.0, np.ones(model.nbody - 1))

    def spawned(self, data: mujoco.MjData, seed: int | None = None) -> None:
        """Draw another body; a seed begins the chance anew. `data` is used up: it must be reset afterwards."""
        if not self._friction_spread and not self._mass_spread:
            return
        if seed is not None:
            self._random = np.random.default_rng((seed, BODY_STREAM))
        friction, *mass = self._random.uniform(-1.0, 1.0, self._model.nbody)
        self.apply(BodyFactors(1.0 + self._friction_spread * friction, 1.0 + self._mass_spread * np.array(mass)), data)

    def apply(self, factors: BodyFactors, data: mujoco.MjData) -> None:
        """Make the model the described body times these factors; `data` must be reset or restored afterwards."""
        self.factors = factors
        self._model.geom_friction[:] = self._friction * factors.friction
        self._model.body_mass[1:] = self._mass[1:] * factors.mass
        self._model.body_inertia[1:] = self._inertia[1:] * factors.mass[:, None]
        mujoco.mj_setConst(self._model, data)

    def snapshot(self) -> tuple[BodyFactors, dict]:
        """The present body and the chance that draws the coming ones."""
        return self.factors, self._random.bit_generator.state

    def restore(self, snapshot: tuple[BodyFactors, dict], data: mujoco.MjData) -> None:
        """Go on as from the snapshot; `data` must be restored afterwards."""
        factors, self._random.bit_generator.state = snapshot
        if self._friction_spread or self._mass_spread:
            self.apply(factors, data)
