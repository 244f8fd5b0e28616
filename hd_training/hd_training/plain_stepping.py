"""One control step of all environments in Python: what it means, and the way where there is no C compiler.

MuJoCo releases the interpreter lock while it steps, so threads help; all around it holds the lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

import numpy as np

from hd_training.episodes import LONGEST_STEP_M, End, Episodes
from hd_training.flat_task import forward_reward, has_fallen
from hd_training.worker_team import WorkerTeam


class PlainStepping:
    """Steps environments one by one, each worker taking the next that is left."""

    def __init__(self, episodes: Episodes, workers: int) -> None:
        """Start the threads."""
        self.episodes = episodes
        self._team = WorkerTeam(workers)
        self.close = self._team.close

    def step(self, actions: np.ndarray, meanwhile: Callable[[], None]) -> None:
        """Step all environments with finite actions (R, E, L, 2), and start new episodes where they ended.

        `meanwhile` is called once; it may prepare starts of episodes that this step cannot use.
        """
        meanwhile()
        self._team.run(partial(self._take, deque(np.ndindex(*self.episodes.shape)), actions))

    def _take(self, queue: deque[tuple[int, int]], actions: np.ndarray) -> None:
        while True:
            try:
                robot, environment = queue.popleft()
            except IndexError:
                return
            self._step_environment(robot, environment, actions[robot, environment])

    def _step_environment(self, r: int, e: int, actions: np.ndarray) -> None:
        episodes, counters = self.episodes, self.episodes.counters
        before = episodes.robots[r].data[e].qpos[:3].copy()
        end = self._advance(r, e, actions, before)
        after = episodes.robots[r].data[e].qpos
        reward = 0.0 if end == End.DIVERGED else forward_reward(before[0], after[0])
        counters.reward[r, e] = reward
        counters.returns[r, e] += reward
        counters.end[r, e] = end
        if end != End.GOES_ON:
            counters.finished_return[r, e] = counters.returns[r, e]
            counters.finished_steps[r, e] = counters.elapsed[r, e]
            if end == End.TIMED_OUT:
                episodes.observe(r, e, episodes.last_observation[r, e])
            episodes.start(r, e)
        episodes.observe(r, e, episodes.observation[r, e])

    def _advance(self, r: int, e: int, actions: np.ndarray, before: np.ndarray) -> End:
        """Simulate one control step from torso position `before` (3,)."""
        robot, counters = self.episodes.robots[r], self.episodes.counters
        was_reset = robot.advance(e, actions.reshape(-1)[robot.morphology.slots])
        after = robot.data[e].qpos[:3]
        counters.elapsed[r, e] += 1
        if was_reset or not robot.is_finite(e) or np.abs(after - before).max() > LONGEST_STEP_M:
            return End.DIVERGED
        if has_fallen(after[2], robot.morphology.standing_height):
            return End.FELL
        return End.TIMED_OUT if counters.elapsed[r, e] >= self.episodes.episode_steps else End.GOES_ON
