"""One robot's model with its E simulations: start an episode, advance one control step, copy states out.

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


@dataclass(frozen=True)
class StateArrays:
    """States of one robot's E environments as copied out of MuJoCo, and what its actuators are to do."""

    sensors: np.ndarray  # (E, 13 L)
    qpos: np.ndarray  # (E, 7+J)
    qvel: np.ndarray  # (E, 6+J)
    control: np.ndarray  # (E, J) in [-1, 1]

    @classmethod
    def zeros(cls, morphology: Morphology, environments: int) -> StateArrays:
        """Arrays of their own, not part of a larger batch."""
        joints = len(morphology.joint_names)
        widths = (13 * len(morphology.limbs), 7 + joints, 6 + joints, joints)
        return cls(*(np.zeros((environments, width)) for width in widths))


@dataclass
class RobotBatch:
    """One robot's model, its simulations and their latest states."""

    morphology: Morphology
    model: mujoco.MjModel
    layout: ObservationLayout
    arrays: StateArrays
    data: list[mujoco.MjData] = field(repr=False)
    rest: np.ndarray  # (7+J,)
    ports: list[tuple[mujoco.MjData, np.ndarray, np.ndarray]] = field(repr=False)
    """Each simulation with its own control array and the one in `arrays` that is copied there."""

    @classmethod
    def create(cls, morphology: Morphology, arrays: StateArrays) -> RobotBatch:
        """As many simulations as `arrays` has rows; no episode is started yet."""
        model = training_model(morphology)
        data = [mujoco.MjData(model) for _ in arrays.qpos]
        ports = [(item, item.ctrl, control) for item, control in zip(data, arrays.control, strict=True)]
        return cls(morphology, model, ObservationLayout(morphology), arrays, data, rest_qpos(model, morphology), ports)

    @property
    def qpos(self) -> np.ndarray:
        """Configurations (E, 7+J) after the last control step."""
        return self.arrays.qpos

    @property
    def qvel(self) -> np.ndarray:
        """Velocities (E, 6+J) after the last control step."""
        return self.arrays.qvel

    def start_episode(self, environment: int, noise: np.ndarray) -> None:
        """Put one simulation at rest in spawn pose, moved by `noise` (13 + 2 J) on qpos and qvel."""
        data, model = self.data[environment], self.model
        mujoco.mj_resetData(model, data)
        data.time = START_TIME_S
        data.qpos[:] = self.rest + noise[: model.nq]
        data.qpos[3:7] /= np.linalg.norm(data.qpos[3:7])
        data.qvel[:] = noise[model.nq :]
        mujoco.mj_forward(model, data)
        self.copy_out(environment)

    def advance(self, start: int, stop: int) -> list[int]:
        """Simulate one control step of environments start..stop; returns those that MuJoCo reset for instability.

        The states are not copied out: the caller does so for many environments at once.
        """
        model, step2, step, step1 = self.model, mujoco.mj_step2, mujoco.mj_step, mujoco.mj_step1
        unstable = []
        for environment, (data, ctrl, control) in enumerate(self.ports[start:stop], start):
            ctrl[:] = control
            step2(model, data)
            step(model, data, FRAME_SKIP - 1)
            step1(model, data)
            if data.time < START_TIME_S:
                unstable.append(environment)
        return unstable

    def copy_out(self, environment: int) -> None:
        """Copy one simulation's state to the arrays."""
        data = self.data[environment]
        self.arrays.sensors[environment] = data.sensordata
        self.arrays.qpos[environment] = data.qpos
        self.arrays.qvel[environment] = data.qvel

    def restore(self, environment: int, state: np.ndarray, kind: mujoco.mjtState) -> None:
        """Continue one simulation from what mj_getState gave."""
        mujoco.mj_setState(self.model, self.data[environment], np.ascontiguousarray(state), kind)
        mujoco.mj_step1(self.model, self.data[environment])
        self.copy_out(environment)

    def observe(self, environment: int, out: np.ndarray) -> None:
        """Write the observation (L, 17) of one environment."""
        arrays = self.arrays
        self.layout.fill(
            arrays.sensors[environment], arrays.qpos[environment, 7:], arrays.qvel[environment, 6:], out
        )
