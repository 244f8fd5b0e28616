"""One robot's model with its E simulations: start an episode, advance one control step, observe.

One control step is `mj_step2; mj_step(nstep=3); mj_step1`: four physics steps that end with sensors of the present
state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import FRAME_SKIP, build_spec, rest_qpos
from hd_controller.observation import ObservationLayout

START_TIME_S = 1.0
"""Simulated time at which episodes start: MuJoCo silently resets a simulation that diverges, its time to 0 with it."""


def training_model(morphology: Morphology) -> mujoco.MjModel:
    """The body in the benchmark's scene without textures: the same physics in a twentieth of the memory."""
    spec = build_spec(morphology)
    for geom in spec.geoms:
        geom.material = ""
    for decoration in [*spec.materials, *spec.textures]:
        spec.delete(decoration)
    return spec.compile()


@dataclass
class RobotBatch:
    """One robot's model and its simulations."""

    morphology: Morphology
    model: mujoco.MjModel
    layout: ObservationLayout
    data: list[mujoco.MjData] = field(repr=False)
    rest: np.ndarray  # (7+J,)

    @classmethod
    def create(cls, morphology: Morphology, environments: int) -> RobotBatch:
        """E simulations; no episode is started yet."""
        model = training_model(morphology)
        data = [mujoco.MjData(model) for _ in range(environments)]
        return cls(morphology, model, ObservationLayout(morphology), data, rest_qpos(model, morphology))

    @property
    def qpos(self) -> np.ndarray:
        """Present configurations (E, 7+J), a copy."""
        return np.stack([data.qpos for data in self.data])

    @property
    def qvel(self) -> np.ndarray:
        """Present velocities (E, 6+J), a copy."""
        return np.stack([data.qvel for data in self.data])

    def start_state(self, noise: np.ndarray) -> np.ndarray:
        """Spawn pose at rest, moved by `noise` (13 + 2 J): qpos and qvel behind one another."""
        state = noise.copy()
        state[: self.model.nq] += self.rest
        state[3:7] /= np.linalg.norm(state[3:7])
        return state

    def start_episode(self, environment: int, state: np.ndarray) -> None:
        """Put one simulation into `state` (13 + 2 J)."""
        data, model = self.data[environment], self.model
        mujoco.mj_resetData(model, data)
        data.time = START_TIME_S
        data.qpos[:] = state[: model.nq]
        data.qvel[:] = state[model.nq :]
        mujoco.mj_forward(model, data)

    def advance(self, environment: int, control: np.ndarray) -> bool:
        """Simulate one control step with actions `control` (J,); whether MuJoCo had to reset it for instability."""
        model, data = self.model, self.data[environment]
        data.ctrl[:] = control
        mujoco.mj_step2(model, data)
        mujoco.mj_step(model, data, FRAME_SKIP - 1)
        mujoco.mj_step1(model, data)
        return data.time < START_TIME_S

    def is_finite(self, environment: int) -> bool:
        """Whether velocities and sensors of one simulation are finite."""
        data = self.data[environment]
        return bool(np.isfinite(data.qvel).all() and np.isfinite(data.sensordata).all())

    def restore(self, environment: int, state: np.ndarray, kind: mujoco.mjtState) -> None:
        """Continue one simulation from what mj_getState gave."""
        mujoco.mj_setState(self.model, self.data[environment], np.ascontiguousarray(state), kind)
        mujoco.mj_step1(self.model, self.data[environment])

    def observe(self, environment: int, out: np.ndarray) -> None:
        """Write the observation (L, 17) of one environment."""
        data = self.data[environment]
        self.layout.fill(data.sensordata, data.qpos[7:], data.qvel[6:], out)
