"""Batched simulation of many different robots: R robots x E environments, stepped by a pool of threads.

A whole control step with resets, rewards and observations runs in compiled code (`compiled_stepping.py`), or in Python
where there is no C compiler (`plain_stepping.py`); both give the same numbers. Every environment's trajectory is a
function of the seed, its index and its actions, never of the number of workers. Observations are relative to the
world's origin, from which reset noise moves the spawn by at most 5 mm and 0.02 rad.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.compiled_stepping import CompiledStepping
from hd_training.episodes import End, Episodes
from hd_training.flat_task import EPISODE_STEPS
from hd_training.plain_stepping import PlainStepping

STATE = mujoco.mjtState.mjSTATE_INTEGRATION


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
    `compiled` says how steps are done; by default compiled, and in Python with a warning where that is not possible.
    `stepping` is what does them.
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
        compiled: bool | None = None,
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
        self._episodes = Episodes(morphologies, environments, seed=seed, episode_steps=episode_steps)
        self.robots, self.observation = self._episodes.robots, self._episodes.observation
        counters = self._episodes.counters
        self.elapsed, self.episode, self.returns = counters.elapsed, counters.episode, counters.returns
        self._used: list[tuple[int, int, int]] = []  # robot, environment, number of an episode yet to be prepared
        self.stepping = _stepping(self._episodes, workers, compiled)
        self.reset(stagger=stagger)

    def reset(self, *, stagger: bool = False) -> np.ndarray:
        """Start a new episode everywhere; `stagger` spreads the first time limits. Returns `observation`."""
        self._episodes.prepare_all()
        for place in np.ndindex(*self._episodes.shape):
            self._episodes.start(*place)
            self._episodes.observe(*place, self.observation[place])
        self._used = [(*place, int(self.episode[place]) + 1) for place in np.ndindex(*self._episodes.shape)]
        if stagger:
            rng = np.random.default_rng((self.seed, 1))
            self.elapsed[:] = rng.integers(0, self.episode_steps, self.elapsed.shape)
        return self.observation

    def step(self, actions: np.ndarray) -> StepResult:
        """Apply actions (R, E, L, 2), simulate one control step, reset what ended.

        Raises:
            HdError: actions of another shape, an action of an existing joint that is not finite, or a closed engine.
        """
        if not self.stepping.close.alive:
            raise HdError("engine: it was closed and cannot step any more; make a new one")
        expected = (*self.observation.shape[:3], 2)
        if actions.shape != expected:
            raise HdError(f"engine: shape of actions {actions.shape}, expected {expected} (robots, environments, L, 2)")
        if not np.isfinite(actions).all() and not np.isfinite(actions.swapaxes(0, 1)[:, self.slots]).all():
            raise HdError("engine: an action is not a finite number; the policy that gave it has diverged")
        self.stepping.step(actions, self._prepare)
        return self._result()

    def _prepare(self) -> None:
        """Prepare episodes after the next, where the last step started one."""
        for robot, environment, number in self._used:
            self._episodes.prepare(robot, environment, number)

    def _result(self) -> StepResult:
        """What the step just done says."""
        counters = self._episodes.counters
        fell, timed_out, diverged = (counters.end == int(end) for end in (End.FELL, End.TIMED_OUT, End.DIVERGED))
        result = StepResult(counters.reward.copy(), fell, timed_out, diverged)
        ended = np.nonzero(counters.end)
        arrays = (self.episode + 1, counters.finished_return, counters.finished_steps, timed_out, diverged)
        places = zip(*(column.tolist() for column in (*ended, *(array[ended] for array in arrays))), strict=True)
        self._used = []
        for r, e, number, finished_return, steps, struck_limit, failed in places:
            self._used.append((r, e, number))
            result.episodes.append((r, finished_return, steps, failed))
            if struck_limit:
                result.last_observations.append((r, e, self._episodes.last_observation[r, e].copy()))
        return result

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
        self._episodes.prepare_all()
        self._used = []
        for index, robot in enumerate(self.robots):
            for environment, state in enumerate(arrays[f"physics_{index}"]):
                robot.restore(environment, state, STATE)
                self._episodes.observe(index, environment, self.observation[index, environment])

    def close(self) -> None:
        """End the worker threads."""
        self.stepping.close()


def _stepping(episodes: Episodes, workers: int, compiled: bool | None) -> CompiledStepping | PlainStepping:
    """The wanted way to step, or with None the best that the machine can do."""
    if compiled is False:
        return PlainStepping(episodes, workers)
    try:
        return CompiledStepping(episodes, workers)
    except HdError as error:
        if compiled:
            raise
        warnings.warn(f"the engine steps in Python, which is slower: {error}", RuntimeWarning, stacklevel=3)
        return PlainStepping(episodes, workers)
