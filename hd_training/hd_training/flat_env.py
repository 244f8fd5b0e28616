"""The flat-terrain task for one robot as a Gymnasium environment: the engine's simulation, observation and reward.

    env = FlatEnv("robot.urdf")                     # or a Morphology
    env = gymnasium.make("hd_training/Flat-v0", robot="robot.urdf")   # after importing this module

Seeded alike and given the same actions, it goes through the same states as environment 0 of an :class:`Engine`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.robot_file import read_robot
from hd_training.episodes import LONGEST_STEP_M
from hd_training.flat_task import EPISODE_STEPS, forward_reward, has_fallen, reset_noise
from hd_training.robot_batch import RobotBatch

ENVIRONMENT_ID = "hd_training/Flat-v0"


class FlatEnv(gymnasium.Env):
    """Run along +x on flat ground.

    Observation (L, 17) float32 as :mod:`hd_controller.observation` describes it, limbs depth-first; action (J,) in
    [-1, 1] in the order of `joint_names`, as shares of the joints' effort limits; reward: forward speed [m/s].
    Terminated by a fall or a diverging simulation (`info["diverged"]`, reward 0), truncated at the time limit.
    """

    metadata = {"render_modes": [], "render_fps": round(1 / CONTROL_PERIOD_S)}  # noqa: RUF012 (Gymnasium's own name)

    def __init__(self, robot: Morphology | str | Path, *, episode_steps: int = EPISODE_STEPS) -> None:
        """Simulate this robot, given as a body or as a URDF or MJCF file; raises HdError for a file it cannot read."""
        self.morphology = robot if isinstance(robot, Morphology) else read_robot(Path(robot))
        self.joint_names = self.morphology.joint_names
        self.episode_steps = episode_steps
        shape = (len(self.morphology.limbs), OBSERVATION_SIZE)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (len(self.joint_names),), np.float32)
        self._simulation = RobotBatch.create(self.morphology, environments=1)
        self._task_seed: int | None = None
        self._episode = 0
        self._elapsed = 0
        self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode: the first of `seed`, or without one the next of the seed in use. `options` has no keys."""
        super().reset(seed=seed)
        if seed is not None or self._task_seed is None:
            self._task_seed = seed if seed is not None else int(self.np_random.integers(2**31))
            self._episode = 0
        model = self._simulation.model
        noise = reset_noise(self._task_seed, 0, self._episode, model.nq + model.nv)
        self._simulation.start_episode(0, self._simulation.start_state(noise))
        self._episode += 1
        self._elapsed = 0
        self._running = True
        return self._observation(), self._info(diverged=False)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Simulate one control period of 20 ms.

        Raises:
            HdError: no episode is running, or the action has another shape or is not finite.
        """
        self._require_action(action)
        before = self._simulation.qpos[0, :3]
        was_reset = self._simulation.advance(0, action)
        after = self._simulation.qpos[0, :3]
        self._elapsed += 1
        diverged = was_reset or not self._simulation.is_finite(0) or np.abs(after - before).max() > LONGEST_STEP_M
        terminated = bool(diverged or has_fallen(after[2], self.morphology.standing_height))
        truncated = self._elapsed >= self.episode_steps and not terminated
        reward = 0.0 if diverged else float(forward_reward(before[0], after[0]))
        self._running = not (terminated or truncated)
        return self._observation(), reward, terminated, truncated, self._info(diverged=bool(diverged))

    def _require_action(self, action: np.ndarray) -> None:
        if not self._running:
            raise HdError("no episode is running; call reset() before the first step and after an episode's end")
        if np.shape(action) != self.action_space.shape:
            raise HdError(f"action has shape {np.shape(action)}, expected {self.action_space.shape}: one per joint")
        if not np.isfinite(action).all():
            raise HdError("action is not finite; the policy that gave it has diverged")

    def _observation(self) -> np.ndarray:
        observation = np.zeros(self.observation_space.shape, np.float32)
        self._simulation.observe(0, observation)
        return observation

    def _info(self, *, diverged: bool) -> dict[str, Any]:
        x, y, height = (float(value) for value in self._simulation.qpos[0, :3])
        return {"x": x, "y": y, "height": height, "diverged": diverged}


gymnasium.register(id=ENVIRONMENT_ID, entry_point="hd_training.flat_env:FlatEnv")
