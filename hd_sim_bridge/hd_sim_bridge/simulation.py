"""One robot in MuJoCo's flat scene, stepped by whole control periods. Needs no ROS."""

from __future__ import annotations

import mujoco
import numpy as np

from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S, FRAME_SKIP, build_model, rest_qpos

RESET_NOISE = 0.005
"""Reset noise on qpos and qvel: uniform in [-RESET_NOISE, RESET_NOISE]."""
STEP_NS = round(CONTROL_PERIOD_S * 1e9)
_BAD_STATE = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)


class Simulation:
    """Physics of one robot; deterministic for a seed.

    `time_ns` is the time since construction and never goes back, over resets neither. `failures` counts the steps after
    which the physics was not finite; MuJoCo and this class reset the robot then.
    """

    def __init__(self, morphology: Morphology, seed: int = 0) -> None:
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
        self.reset()

    def reset(self) -> None:
        """Spawn the robot at the origin, upright, with reset noise; `time_ns` stays."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = rest_qpos(self.model, self.morphology)
        self.data.qpos[:] += self._random.uniform(-RESET_NOISE, RESET_NOISE, self.model.nq)
        self.data.qvel[:] += self._random.uniform(-RESET_NOISE, RESET_NOISE, self.model.nv)
        mujoco.mju_normalize4(self.data.qpos[3:7])
        mujoco.mj_forward(self.model, self.data)
        self._set_force(self.data.qvel[0:3].copy())

    def step(self, efforts: np.ndarray) -> bool:
        """Advance one control period with constant efforts (J,) [N m], clipped to the limits.

        False when the physics became not finite; the robot has then been reset.
        """
        np.divide(efforts, self._limits, out=self.data.ctrl)
        np.clip(self.data.ctrl, -1.0, 1.0, out=self.data.ctrl)
        velocity = self.data.qvel[0:3].copy()
        mujoco.mj_step2(self.model, self.data)
        mujoco.mj_step(self.model, self.data, nstep=FRAME_SKIP - 1)
        mujoco.mj_step1(self.model, self.data)
        self.time_ns += STEP_NS
        if any(self.data.warning[kind].number for kind in _BAD_STATE):
            self.failures += 1
            self.reset()
            return False
        self._set_force(velocity)
        return True

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
