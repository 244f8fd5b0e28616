"""Observation of a robot from its measured state, by the same kinematics code that training's physics uses."""

from dataclasses import dataclass

import mujoco
import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import build_model
from hd_controller.observation import OBSERVATION_SIZE, ObservationLayout, Origin


@dataclass(frozen=True)
class RobotState:
    """Everything measured at one instant."""

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
        self._layout = ObservationLayout(morphology)
        self._velocity = np.empty(3)
        self.observation = np.zeros((len(morphology.limbs), OBSERVATION_SIZE))

    def observe(self, state: RobotState, origin: Origin) -> np.ndarray:
        """(L, 17) observation, in a buffer that the next call overwrites.

        Args:
            state: finite measurements with J joints.
            origin: latched when the policy was activated.
        """
        sensors, data = self.frames(state), self._data
        return self._layout.fill(sensors, data.qpos[7:], data.qvel[6:], self.observation, origin)

    def frames(self, state: RobotState) -> np.ndarray:
        """(13 L,) limb positions, quaternions, linear and angular velocities in the world, block after block.

        A view that the next call overwrites.
        """
        model, data = self._model, self._data
        data.qpos[0:3] = state.position
        data.qpos[3:7] = state.orientation
        data.qpos[7:] = state.joint_positions
        mujoco.mju_normalize4(data.qpos[3:7])
        mujoco.mju_rotVecQuat(self._velocity, state.linear_velocity, data.qpos[3:7])
        data.qvel[0:3] = self._velocity
        data.qvel[3:6] = state.angular_velocity
        data.qvel[6:] = state.joint_velocities
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_sensorPos(model, data)
        mujoco.mj_comVel(model, data)
        mujoco.mj_sensorVel(model, data)
        return data.sensordata
