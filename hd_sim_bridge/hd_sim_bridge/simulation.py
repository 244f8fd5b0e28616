"""One robot in MuJoCo's flat scene, stepped by whole control periods. Needs no ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S, FRAME_SKIP, build_model, rest_qpos

RESET_NOISE = 0.005
"""Reset noise on qpos and qvel: uniform in [-RESET_NOISE, RESET_NOISE]."""
STEP_NS = round(CONTROL_PERIOD_S * 1e9)
_BAD_STATE = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)


@dataclass(frozen=True)
class SpawnPose:
    """Where a robot is put instead of the spawn pose above the origin."""

    position: np.ndarray
    """(3,) torso frame in the world, z above ground [m]."""
    orientation: np.ndarray
    """(4,) torso quaternion (w, x, y, z) of any length but 0."""
    joint_positions: np.ndarray | None = None
    """(J,) [rad]; None: at rest."""


class Simulation:
    """Physics of one robot; deterministic for a seed.

    `time_ns` is the time since construction and never goes back, over resets neither. `failures` counts the steps after
    which the physics was not finite; MuJoCo and this class reset the robot then.
    """

    def __init__(self, morphology: Morphology, seed: int = 0) -> None:
        self.before_spawn: Callable[[mujoco.MjData], None] = lambda data: None
        """Called at every spawn, before the data is reset: the place to change the model."""
        self.morphology = morphology
        self.model = build_model(morphology, scene=True)
        self.data = mujoco.MjData(self.model)
        self.time_ns = 0
        self.failures = 0
        self._random = np.random.default_rng(seed)
        self._joints = len(morphology.joint_names)
        self._limits = np.asarray(morphology.effort_limits, dtype=float)
        self._inverse = np.zeros(4)
        self._linear = np.zeros(3)
        self._force = np.zeros(3)
        self._push_steps = 0
        self.reset()

    def reset(self, seed: int | None = None, pose: SpawnPose | None = None) -> None:
        """Spawn the robot at the origin, upright, with reset noise; `time_ns` stays.

        A seed begins the noise anew, as in a new simulation. With a pose, the torso is exactly there, and the joints
        too where it gives them; the rest has its noise.
        """
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self.before_spawn(self.data)
        mujoco.mj_resetData(self.model, self.data)
        self._push_steps = 0
        rest = rest_qpos(self.model, self.morphology)
        self.data.qpos[:] = rest
        self.data.qpos[:] += self._random.uniform(-RESET_NOISE, RESET_NOISE, self.model.nq)
        self.data.qvel[:] += self._random.uniform(-RESET_NOISE, RESET_NOISE, self.model.nv)
        if pose is not None:
            self.data.qpos[0:3], self.data.qpos[3:7] = pose.position, pose.orientation
            if pose.joint_positions is not None:
                self.data.qpos[7:] = pose.joint_positions
        mujoco.mju_normalize4(self.data.qpos[3:7])
        mujoco.mj_forward(self.model, self.data)
        self._set_force(self.data.qvel[0:3].copy())

    def step(self, efforts: np.ndarray, before: np.ndarray | None = None, before_steps: int = 0) -> bool:
        """Advance one control period with constant efforts (J,) [N m], clipped to the limits.

        The first `before_steps` physics steps, below FRAME_SKIP, run on the efforts `before`. False when the physics
        became not finite; the robot has then been reset.
        """
        velocity = self.data.qvel[0:3].copy()
        self._set_efforts(efforts if not before_steps else before)
        mujoco.mj_step2(self.model, self.data)
        if before_steps > 1:
            mujoco.mj_step(self.model, self.data, nstep=before_steps - 1)
        if before_steps:
            self._set_efforts(efforts)
        mujoco.mj_step(self.model, self.data, nstep=FRAME_SKIP - max(1, before_steps))
        mujoco.mj_step1(self.model, self.data)
        self.time_ns += STEP_NS
        self._end_push()
        if any(self.data.warning[kind].number for kind in _BAD_STATE):
            self.failures += 1
            self.reset()
            return False
        self._set_force(velocity)
        return True

    def _set_efforts(self, efforts: np.ndarray) -> None:
        """Let efforts (J,) [N m] act from now on, clipped to the limits."""
        np.divide(efforts, self._limits, out=self.data.ctrl)
        np.clip(self.data.ctrl, -1.0, 1.0, out=self.data.ctrl)

    def push(self, limb: int, force: np.ndarray, torque: np.ndarray, steps: int) -> None:
        """Apply a force (3,) [N] at a limb's centre of mass and a torque (3,) [N m], in world axes.

        It acts for `steps` control periods, in the place of a push that still acts; a reset removes it.
        """
        self.data.xfrc_applied[:] = 0.0
        self.data.xfrc_applied[limb + 1] = (*force, *torque)
        self._push_steps = steps

    def _end_push(self) -> None:
        """One control period of the push has passed."""
        if self._push_steps:
            self._push_steps -= 1
            if not self._push_steps:
                self.data.xfrc_applied[:] = 0.0

    def snapshot(self) -> dict[str, Any]:
        """All that decides the coming steps; a copy. See `restore`."""
        physics = np.zeros(mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(self.model, self.data, physics, mujoco.mjtState.mjSTATE_INTEGRATION)
        return {"physics": physics, "time_ns": self.time_ns, "push_steps": self._push_steps,
                "force": self._force.copy(), "random": self._random.bit_generator.state}

    def restore(self, snapshot: dict[str, Any]) -> int:
        """Go on from a snapshot, bit by bit, but at the present time; returns how much later that is [ns]."""
        mujoco.mj_setState(self.model, self.data, snapshot["physics"], mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_step1(self.model, self.data)
        self._push_steps = snapshot["push_steps"]
        self._force[:] = snapshot["force"]
        self._random.bit_generator.state = snapshot["random"]
        return self.time_ns - snapshot["time_ns"]

    def _set_force(self, velocity_before: np.ndarray) -> None:
        """Remember the accelerometer's mean over the control period that began with this velocity (3,) [m/s]."""
        acceleration = (self.data.qvel[0:3] - velocity_before) / CONTROL_PERIOD_S - self.model.opt.gravity
        mujoco.mju_negQuat(self._inverse, self.data.qpos[3:7])
        mujoco.mju_rotVecQuat(self._force, acceleration, self._inverse)

    @property
    def specific_force(self) -> np.ndarray:
        """(3,) what an accelerometer at the torso frame shows, in torso axes: its mean over the last step [m/s^2]."""
        return self._force.copy()

    def hold(self) -> None:
        """Let one control period pass without moving the robot."""
        self.time_ns += STEP_NS

    def state(self) -> RobotState:
        """Ground truth at this instant; a copy."""
        qpos, qvel = self.data.qpos, self.data.qvel
        mujoco.mju_negQuat(self._inverse, qpos[3:7])
        mujoco.mju_rotVecQuat(self._linear, qvel[0:3], self._inverse)
        return RobotState(self.time_ns, qpos[0:3].copy(), qpos[3:7].copy(), self._linear.copy(), qvel[3:6].copy(),
                          qpos[7:].copy(), qvel[6:].copy())

    @property
    def torso_position(self) -> np.ndarray:
        """(3,) position of the torso in the world [m]."""
        return self.data.qpos[0:3]
