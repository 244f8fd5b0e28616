"""Observation of a robot from its measured state, by the same kinematics code that training's physics uses."""

from dataclasses import dataclass

import mujoco
import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import build_model
from hd_controller.observation import Origin
from hd_controller.observation_plan import ObservationPlan


@dataclass
class RobotState:
    """Everything measured at one instant; to be read only.

    It is not frozen, because one is made in each control step and a frozen one takes three times as long.
    """

    stamp_ns: int
    """Time of measurement [ns]."""
    position: np.ndarray
    """(3,) torso frame in the world, z above ground [m]."""
    orientation: np.ndarray
    """(4,) torso quaternion (w, x, y, z) of any length but 0."""
    linear_velocity: np.ndarray
    """(3,) of the torso frame, in torso axes [m/s]."""
    angular_velocity: np.ndarray
    """(3,) in torso axes [rad/s]."""
    joint_positions: np.ndarray
    """(J,) [rad] in the order of ``Morphology.joint_names``."""
    joint_velocities: np.ndarray
    """(J,) [rad/s]."""


class Kinematics:
    """Limb frames of one body from joint states; owns its buffers, so one instance serves one thread."""

    def __init__(self, morphology: Morphology) -> None:
        """Compile the body without shapes."""
        self._model = build_model(morphology, scene=False)
        self._data = mujoco.MjData(self._model)
        self._plan = ObservationPlan(morphology)
        self._velocity = np.empty(3)
        qpos, qvel = self._data.qpos, self._data.qvel
        self._position, self._orientation, self._joint_positions = qpos[0:3], qpos[3:7], qpos[7:]
        self._linear, self._angular, self._joint_velocities = qvel[0:3], qvel[3:6], qvel[6:]
        self._torso_orientation = self._data.xquat[self._model.jnt_bodyid[0]]  # of length 1, unlike the state's
        self._frames = self._data.sensordata

    def observe(self, state: RobotState, origin: Origin) -> np.ndarray:
        """(L, 17) observation, in a buffer that the next call overwrites.

        Args:
            state: finite measurements with J joints.
            origin: latched when the policy was activated.
        """
        return self._plan.fill(self.frames(state), self._joint_positions, self._joint_velocities, origin)

    def frames(self, state: RobotState) -> np.ndarray:
        """(13 L,) limb positions, quaternions, linear and angular velocities in the world, block after block.

        A view that the next call overwrites.
        """
        model, data = self._model, self._data
        self._position[:], self._orientation[:] = state.position, state.orientation
        self._joint_positions[:] = state.joint_positions
        self._joint_velocities[:] = state.joint_velocities
        self._angular[:] = state.angular_velocity
        mujoco.mj_kinematics(model, data)
        mujoco.mju_rotVecQuat(self._velocity, state.linear_velocity, self._torso_orientation)
        self._linear[:] = self._velocity
        mujoco.mj_comPos(model, data)
        mujoco.mj_sensorPos(model, data)
        mujoco.mj_comVel(model, data)
        mujoco.mj_sensorVel(model, data)
        return self._frames
