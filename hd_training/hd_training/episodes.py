"""R robots x E environments between two control steps: simulations, observations, counters and next starts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.flat_task import reset_noise
from hd_training.robot_batch import RobotBatch

LONGEST_STEP_M = 1.0
"""Way of a torso in one control step (50 m/s) beyond which a simulation counts as diverged."""


class End(IntEnum):
    """How a control step ended an episode."""

    GOES_ON = 0
    FELL = 1
    TIMED_OUT = 2
    DIVERGED = 3


@dataclass(frozen=True)
class Counters:
    """Arrays (R, E), written in place by whoever steps the environments."""

    elapsed: np.ndarray  # control steps of the present episode
    episode: np.ndarray  # number of the next episode
    returns: np.ndarray  # of the present episode so far
    reward: np.ndarray  # of the last control step
    end: np.ndarray  # of the last control step, as in End
    finished_return: np.ndarray  # of the last episode that ended
    finished_steps: np.ndarray  # its control steps

    @classmethod
    def zeros(cls, shape: tuple[int, int]) -> Counters:
        """Before the first episode."""
        kinds = (np.int64, np.int64, np.float64, np.float64, np.uint8, np.float64, np.int64)
        return cls(*(np.zeros(shape, kind) for kind in kinds))


class Episodes:
    """Simulations and arrays of R robots x E environments.

    Each environment has the starts of its next two episodes ready, by even and odd number: while one may be used in a
    control step, the other may be written.
    """

    def __init__(self, morphologies: list[Morphology], environments: int, *, seed: int, episode_steps: int) -> None:
        """Build models and simulations; no episode is started yet."""
        self.seed, self.environments, self.episode_steps = seed, environments, episode_steps
        self.robots = [RobotBatch.create(morphology, environments) for morphology in morphologies]
        self.limbs = max(len(morphology.limbs) for morphology in morphologies)
        self.shape = (len(morphologies), environments)
        self.counters = Counters.zeros(self.shape)
        self.observation = np.zeros((*self.shape, self.limbs, OBSERVATION_SIZE), np.float32)
        self.last_observation = np.zeros_like(self.observation)
        """What was seen when a time limit struck; only rows where it struck in the last step mean anything."""
        self.starts = [np.zeros((environments, 2, robot.model.nq + robot.model.nv)) for robot in self.robots]

    def prepare(self, robot: int, environment: int, episode: int) -> None:
        """Compute the start of one episode, a function of the seed, the environment's place and the number."""
        starts = self.starts[robot][environment]
        place = robot * self.environments + environment
        noise = reset_noise(self.seed, place, episode, starts.shape[1])
        starts[episode % 2] = self.robots[robot].start_state(noise)

    def prepare_all(self) -> None:
        """The next two episodes of every environment."""
        for (robot, environment), episode in np.ndenumerate(self.counters.episode):
            self.prepare(robot, environment, int(episode))
            self.prepare(robot, environment, int(episode) + 1)

    def start(self, robot: int, environment: int) -> None:
        """Start the next episode; it is not observed yet."""
        counters, place = self.counters, (robot, environment)
        self.robots[robot].start_episode(environment, self.starts[robot][environment, counters.episode[place] % 2])
        counters.episode[place] += 1
        counters.elapsed[place] = 0
        counters.returns[place] = 0.0

    def observe(self, robot: int, environment: int, out: np.ndarray) -> None:
        """Write one environment's observation into `out` (L, 17); rows of limbs that it lacks stay as they are."""
        batch = self.robots[robot]
        batch.observe(environment, out[: len(batch.morphology.limbs)])
