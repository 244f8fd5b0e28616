"""Batched simulation of many different robots: R robots x E environments, stepped by a pool of threads.

MuJoCo releases the interpreter lock while it steps, so threads scale over cores. Every environment's trajectory is a
function of the seed, its index and its actions, never of the number of workers. What is done for each environment is
kept to the calls of MuJoCo; states are copied, rewards and observations computed for all environments at once.
Observations are relative to the world's origin, from which reset noise moves the spawn by at most 5 mm and 0.02 rad.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.batch_arrays import BatchArrays
from hd_training.flat_task import EPISODE_STEPS, forward_reward, has_fallen, reset_noise
from hd_training.worker_team import WorkerTeam

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
LONGEST_STEP_M = 1.0
"""Way of a torso in one control step (50 m/s) beyond which a simulation counts as diverged."""
BLOCKS_PER_WORKER = 8
"""Pieces that a step's work is cut into, for each worker: enough for slow and fast bodies to even out."""


@dataclass
class StepResult:
    """What one control step gave; arrays (R, E)."""

    reward: np.ndarray
    fell: np.ndarray
    timed_out: np.ndarray
    diverged: np.ndarray
    last_observations: list[tuple[int, int, np.ndarray]] = field(default_factory=list)  # robot, env, (L, 17)
    episodes: list[tuple[int, float, int, bool]] = field(default_factory=list)  # robot, return, steps, diverged

    @property
    def ended(self) -> np.ndarray:
        """Episodes that ended for whatever reason (R, E)."""
        return self.fell | self.timed_out | self.diverged


class Engine:
    """R robots x E environments with automatic reset.

    `observation` (R, E, L, 17) float32 is padded with zeros to the largest limb count L; `valid` (R, L) and `slots`
    (R, L, 2) say which limbs and joint slots exist. Actions are (R, E, L, 2), clipped to [-1, 1] by the actuators.
    """

    def __init__(
        self,
        morphologies: list[Morphology],
        *,
        environments: int,
        seed: int,
        workers: int = 2,
        episode_steps: int = EPISODE_STEPS,
        stagger: bool = False,
    ) -> None:
        if not morphologies or environments < 1 or workers < 1:
            raise HdError(
                f"an engine needs at least one robot, environment and worker; got {len(morphologies)} robots, "
                f"{environments} environments, {workers} workers"
            )
        self.seed, self.environments, self.episode_steps = seed, environments, episode_steps
        robots, limbs = len(morphologies), max(len(morphology.limbs) for morphology in morphologies)
        self.valid = np.zeros((robots, limbs), bool)
        self.slots = np.zeros((robots, limbs, 2), bool)
        for index, morphology in enumerate(morphologies):
            self.valid[index, : len(morphology.limbs)] = True
            self.slots[index].reshape(-1)[np.asarray(morphology.slots)] = True
        self._batch = BatchArrays(morphologies, environments)
        self.robots = self._batch.robots
        starts = self.slots[0].size * np.arange(robots * environments).reshape(robots, environments, 1)
        places = [start + morphology.slots for start, morphology in zip(starts, morphologies, strict=True)]
        self._action_cells = np.concatenate([place.reshape(-1) for place in places])
        self.observation = np.zeros((robots, environments, limbs, OBSERVATION_SIZE), np.float32)
        self.elapsed = np.zeros((robots, environments), np.int64)
        self.episode = np.zeros((robots, environments), np.int64)
        self.returns = np.zeros((robots, environments))
        self._standing = np.array([[morphology.standing_height] for morphology in morphologies])
        self._team = WorkerTeam(workers)
        self._blocks = self._split(workers)
        self.reset(stagger=stagger)

    def _split(self, workers: int) -> list[tuple[int, int, int]]:
        """(robot, first, last + 1 environment): pieces of a step that idle workers take from one queue."""
        size = max(1, len(self.robots) * self.environments // (workers * BLOCKS_PER_WORKER))
        cuts = range(0, self.environments, size)
        return [(r, e, min(e + size, self.environments)) for r in range(len(self.robots)) for e in cuts]

    def reset(self, *, stagger: bool = False) -> np.ndarray:
        """Start a new episode everywhere; `stagger` spreads the first time limits. Returns `observation`."""
        everywhere = np.ones(self.elapsed.shape, bool)
        self._reset_where(everywhere)
        if stagger:
            rng = np.random.default_rng((self.seed, 1))
            self.elapsed[:] = rng.integers(0, self.episode_steps, self.elapsed.shape)
        return self.observation

    def step(self, actions: np.ndarray) -> StepResult:
        """Apply actions (R, E, L, 2), simulate one control step, reset what ended.

        Raises:
            HdError: actions of another shape, or an action of an existing joint that is not finite.
        """
        expected = (*self.observation.shape[:3], 2)
        if actions.shape != expected:
            raise HdError(f"engine: shape of actions {actions.shape}, expected {expected} (robots, environments, L, 2)")
        before = self._batch.torso()
        control = self._batch.control.flat[:-1]
        control[:] = actions.reshape(-1)[self._action_cells]
        if not np.isfinite(control).all():
            raise HdError("engine: an action is not a finite number; the policy that gave it has diverged")
        diverged = self._simulate()
        self.elapsed += 1
        result = self._judge(before, diverged)
        self._finish(result)
        return result

    def _simulate(self) -> np.ndarray:
        """Step everything; says which environments (R, E) MuJoCo reset for lack of stability or left not finite."""
        queue, diverged = deque(self._blocks), np.zeros(self.elapsed.shape, bool)
        self._team.run(partial(self._work, queue, diverged))
        self._batch.copy_out()
        return diverged | self._batch.not_finite()

    def _work(self, queue: deque[tuple[int, int, int]], diverged: np.ndarray) -> None:
        """What every worker does: take pieces until none is left."""
        while True:
            try:
                robot, start, stop = queue.popleft()
            except IndexError:
                return
            for environment in self.robots[robot].advance(start, stop):
                diverged[robot, environment] = True

    def _judge(self, before: np.ndarray, diverged: np.ndarray) -> StepResult:
        """Rewards and ends of the step just simulated."""
        after = self._batch.torso()
        diverged = diverged | (np.abs(after - before).max(axis=-1) > LONGEST_STEP_M)
        reward = np.where(diverged, 0.0, forward_reward(before[..., 0], after[..., 0]))
        fell = has_fallen(after[..., 2], self._standing) & ~diverged
        timed_out = (self.elapsed >= self.episode_steps) & ~fell & ~diverged
        self.returns += reward
        return StepResult(reward, fell, timed_out, diverged)

    def _finish(self, result: StepResult) -> None:
        """Observe all, keep what ended, and start its next episode."""
        self._batch.observe(self.observation)
        ended = result.ended
        if not ended.any():
            return
        for r, e in np.argwhere(result.timed_out):
            result.last_observations.append((int(r), int(e), self.observation[r, e].copy()))
        for r, e in np.argwhere(ended):
            episode = (int(r), float(self.returns[r, e]), int(self.elapsed[r, e]), bool(result.diverged[r, e]))
            result.episodes.append(episode)
        self._reset_where(ended)

    def _reset_where(self, where: np.ndarray) -> None:
        """Start episodes where asked (R, E), and observe them."""
        for r, e in np.argwhere(where):
            robot = self.robots[r]
            size = robot.model.nq + robot.model.nv
            noise = reset_noise(self.seed, int(r * self.environments + e), int(self.episode[r, e]), size)
            robot.start_episode(e, noise)
            robot.observe(e, self.observation[r, e, : len(robot.morphology.limbs)])
            self.episode[r, e] += 1
            self.elapsed[r, e] = 0
            self.returns[r, e] = 0.0

    def state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on bitwise equally, as arrays."""
        arrays = {"elapsed": self.elapsed.copy(), "episode": self.episode.copy(), "returns": self.returns.copy()}
        for index, robot in enumerate(self.robots):
            size = mujoco.mj_stateSize(robot.model, STATE)
            states = np.zeros((self.environments, size))
            for row, data in zip(states, robot.data, strict=True):
                mujoco.mj_getState(robot.model, data, row, STATE)
            arrays[f"physics_{index}"] = states
        return arrays

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from what :meth:`state` gave, of the same robots and number of environments."""
        for name in ("elapsed", "episode", "returns"):
            getattr(self, name)[:] = arrays[name]
        for index, robot in enumerate(self.robots):
            for environment, state in enumerate(arrays[f"physics_{index}"]):
                robot.restore(environment, state, STATE)
        self._batch.observe(self.observation)

    def close(self) -> None:
        """End the worker threads."""
        self._team.close()
