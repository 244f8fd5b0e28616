"""A continuous-control environment of Gymnasium with the engine's interface, so that the same learner trains on it.

It is one robot with one limb: observations (1, E, 1, F) and actions (1, E, 1, A), clipped to the environment's bounds.
"""

from __future__ import annotations

import gymnasium
import mujoco
import numpy as np

from hd_training.engine import StepResult


def _ignore(message: str) -> None:
    """Say nothing."""


class GymnasiumEngine:
    """E copies of an environment with automatic reset, stepped one after another."""

    def __init__(self, name: str, *, environments: int, seed: int) -> None:
        """Make and reset the copies; each has its own seed."""
        self.environments = environments
        mujoco.set_mju_user_warning(_ignore)  # each copy would warn of the same deprecated setting in Gymnasium's file
        self._copies = [gymnasium.make(name) for _ in range(environments)]
        space = self._copies[0].action_space
        self.low, self.high = space.low, space.high
        self.valid, self.slots = np.ones((1, 1), bool), np.ones((1, 1, *space.shape), bool)
        first = [copy.reset(seed=1000 * seed + index)[0] for index, copy in enumerate(self._copies)]
        self.observation = np.array(first, np.float32)[None, :, None]
        self.returns, self.elapsed = np.zeros(environments), np.zeros(environments, np.int64)

    def step(self, actions: np.ndarray) -> StepResult:
        """Apply actions (1, E, 1, A); copies whose episode ended are reset."""
        shape = (1, self.environments)
        result = StepResult(np.zeros(shape), *(np.zeros(shape, bool) for _ in range(3)))
        for index, (copy, action) in enumerate(zip(self._copies, actions[0, :, 0], strict=True)):
            seen, reward, terminated, truncated, _ = copy.step(np.clip(action, self.low, self.high))
            result.reward[0, index], result.fell[0, index] = reward, terminated
            result.timed_out[0, index] = truncated and not terminated
            self.returns[index] += reward
            self.elapsed[index] += 1
            if terminated or truncated:
                seen = self._finish(index, seen, result)
            self.observation[0, index, 0] = seen
        return result

    def _finish(self, index: int, seen: np.ndarray, result: StepResult) -> np.ndarray:
        """Note an episode's end and start the next; returns its first observation."""
        if result.timed_out[0, index]:
            result.last_observations.append((0, index, seen[None].astype(np.float32)))
        result.episodes.append((0, float(self.returns[index]), int(self.elapsed[index]), False))
        self.returns[index], self.elapsed[index] = 0.0, 0
        return self._copies[index].reset()[0]

    def close(self) -> None:
        """Close the copies."""
        for copy in self._copies:
            copy.close()
