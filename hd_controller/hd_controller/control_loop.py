"""One control step: state -> observation -> MLP -> joint efforts. No ROS, no torch, no files."""

import numpy as np

from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.observation import WORLD, Origin
from hd_controller.runnable_policy import RunnablePolicy


class ControlLoop:
    """Runs one policy on one robot; owns its buffers, so one instance serves one thread."""

    def __init__(self, bundle: RunnablePolicy) -> None:
        """Prepare kinematics, network and buffers for a checked policy."""
        self.bundle = bundle
        self._kinematics = Kinematics(bundle.morphology)
        self._policy = bundle.policy()
        self._slots = bundle.morphology.slots
        self._limits = np.asarray(bundle.effort_limits, dtype=np.float64)
        self._origin: Origin = WORLD
        self._actions = np.zeros(len(bundle.joint_names), dtype=np.float32)
        self._largest = np.ones_like(self._actions)
        self._smallest = -self._largest
        self._efforts = np.zeros(len(bundle.joint_names))

    def reset(self, state: RobotState) -> None:
        """Latch the pose that forward and sideways are measured from: call when the policy is activated."""
        self._origin = Origin.from_pose(state.position, state.orientation)

    def step(self, state: RobotState) -> np.ndarray:
        """(J,) efforts [N m] in the order of ``bundle.joint_names``, in a buffer that the next call overwrites."""
        observation = self._kinematics.observe(state, self._origin)
        actions = self._policy.act(observation)
        actions.take(self._slots, out=self._actions, mode="clip")
        np.maximum(self._actions, self._smallest, out=self._actions)
        np.minimum(self._actions, self._largest, out=self._actions)
        self._efforts[:] = self._actions
        return np.multiply(self._efforts, self._limits, out=self._efforts)
