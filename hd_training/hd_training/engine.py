"""Batched simulation of many different robots: R robots x E environments, stepped by a pool of threads.

MuJoCo releases the interpreter lock while it steps, so threads scale over cores. Every environment's trajectory is a
function of the seed, its index and its actions, never of the number of workers. One control step is
`mj_step2; mj_step(nstep=3); mj_step1`: four physics steps that end with sensors of the present state. Observations
are relative to the world's origin, from which reset noise moves the spawn by at most 5 mm and 0.02 rad.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import mujoco
import numpy as np

from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import FRAME_SKIP, build_model, rest_qpos
from hd_controller.observation import OBSERVATION_SIZE, ObservationLayout
from hd_training.flat_task import EPISODE_STEPS, forward_reward, has_fallen, reset_noise

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
START_TIME_S = 1.0
"""Simulated time at which episodes start: MuJoCo silently resets a simulation that diverges, its time to 0 with it."""


@dataclass
class RobotBatch:
    """One robot's model and the latest state of its E environments."""

    morphology: Morphology
    model: mujoco.MjModel
    layout: ObservationLayout
    data: list[mujoco.MjData]
    qpos: np.ndarray  # (E, 7+J)
    qvel: np.ndarray  # (E, 6+J)
    sensors: np.ndarray  # (E, 13 L)
    control: np.ndarray  # (E, J) in [-1, 1]


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
        self.seed, self.environments, self.episode_steps = seed, environments, episode_steps
        self.robots = [_robot_batch(morphology, environments) for morphology in morphologies]
        robots, limbs = len(self.robots), max(len(morphology.limbs) for morphology in morphologies)
        self.valid = np.zeros((robots, limbs), bool)
        self.slots = np.zeros((robots, limbs, 2), bool)
        for index, morphology in enumerate(morphologies):
            self.valid[index, : len(morphology.limbs)] = True
            self.slots[index].reshape(-1)[np.asarray(morphology.slots)] = True
        self.observation = np.zeros((robots, environments, limbs, OBSERVATION_SIZE), np.float32)
        self.elapsed = np.zeros((robots, environments), np.int64)
        self.episode = np.zeros((robots, environments), np.int64)
        self.returns = np.zeros((robots, environments))
        self._pool = ThreadPoolExecutor(workers)
        self._chunks = self._split(workers)
        self.reset(stagger=stagger)

    def _split(self, workers: int) -> list[list[tuple[int, int]]]:
        """(robot, environment) pairs dealt to the workers round robin, so that each gets every robot."""
        pairs = [(r, e) for r in range(len(self.robots)) for e in range(self.environments)]
        return [pairs[worker::workers] for worker in range(workers)]

    def reset(self, *, stagger: bool = False) -> np.ndarray:
        """Start a new episode everywhere; `stagger` spreads the first time limits. Returns `observation`."""
        everywhere = np.ones(self.elapsed.shape, bool)
        self._reset_where(everywhere)
        if stagger:
            rng = np.random.default_rng((self.seed, 1))
            self.elapsed[:] = rng.integers(0, self.episode_steps, self.elapsed.shape)
        self._observe()
        return self.observation

    def step(self, actions: np.ndarray) -> StepResult:
        """Apply actions (R, E, L, 2), simulate one control step, reset what ended."""
        before = np.stack([robot.qpos[:, 0].copy() for robot in self.robots])
        for robot, action in zip(self.robots, actions, strict=True):
            flat = action.reshape(self.environments, -1)
            robot.control[:] = flat[:, robot.morphology.slots]
        diverged = np.zeros(self.elapsed.shape, bool)
        list(self._pool.map(lambda chunk: self._simulate(chunk, diverged), self._chunks))
        self.elapsed += 1
        result = self._judge(before, diverged)
        self._finish(result)
        return result

    def _simulate(self, chunk: list[tuple[int, int]], diverged: np.ndarray) -> None:
        """Step some environments and copy their states out; marks those that MuJoCo reset for lack of stability."""
        for r, e in chunk:
            robot = self.robots[r]
            model, data = robot.model, robot.data[e]
            data.ctrl[:] = robot.control[e]
            mujoco.mj_step2(model, data)
            mujoco.mj_step(model, data, nstep=FRAME_SKIP - 1)
            mujoco.mj_step1(model, data)
            _copy_out(robot, e)
            diverged[r, e] = data.time < START_TIME_S or not np.isfinite(robot.qvel[e]).all()

    def _judge(self, before: np.ndarray, diverged: np.ndarray) -> StepResult:
        """Rewards and ends of the step just simulated."""
        after = np.stack([robot.qpos[:, 0] for robot in self.robots])
        height = np.stack([robot.qpos[:, 2] for robot in self.robots])
        reward = np.where(diverged, 0.0, forward_reward(before, after))
        standing = np.array([[robot.morphology.standing_height] for robot in self.robots])
        fell = has_fallen(height, standing) & ~diverged
        timed_out = (self.elapsed >= self.episode_steps) & ~fell & ~diverged
        self.returns += reward
        return StepResult(reward, fell, timed_out, diverged)

    def _finish(self, result: StepResult) -> None:
        """Keep what ended, reset it, and refresh the observations of all."""
        ended = result.ended
        if result.timed_out.any():
            self._observe()
            for r, e in np.argwhere(result.timed_out):
                result.last_observations.append((int(r), int(e), self.observation[r, e].copy()))
        for r, e in np.argwhere(ended):
            episode = (int(r), float(self.returns[r, e]), int(self.elapsed[r, e]), bool(result.diverged[r, e]))
            result.episodes.append(episode)
        self._reset_where(ended)
        self._observe()

    def _reset_where(self, where: np.ndarray) -> None:
        for r, e in np.argwhere(where):
            robot = self.robots[r]
            model, data = robot.model, robot.data[e]
            noise = reset_noise(self.seed, int(r * self.environments + e), int(self.episode[r, e]), model.nq + model.nv)
            mujoco.mj_resetData(model, data)
            data.time = START_TIME_S
            data.qpos[:] = rest_qpos(model, robot.morphology) + noise[: model.nq]
            data.qpos[3:7] /= np.linalg.norm(data.qpos[3:7])
            data.qvel[:] = noise[model.nq :]
            mujoco.mj_forward(model, data)
            _copy_out(robot, e)
            self.episode[r, e] += 1
            self.elapsed[r, e] = 0
            self.returns[r, e] = 0.0

    def _observe(self) -> None:
        for index, robot in enumerate(self.robots):
            limbs = len(robot.morphology.limbs)
            out = self.observation[index, :, :limbs]
            robot.layout.fill(robot.sensors, robot.qpos[:, 7:], robot.qvel[:, 6:], out)

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
            for e, (row, data) in enumerate(zip(arrays[f"physics_{index}"], robot.data, strict=True)):
                mujoco.mj_setState(robot.model, data, np.ascontiguousarray(row), STATE)
                mujoco.mj_step1(robot.model, data)
                _copy_out(robot, e)
        self._observe()

    def close(self) -> None:
        """End the worker threads."""
        self._pool.shutdown()


def _robot_batch(morphology: Morphology, environments: int) -> RobotBatch:
    model = build_model(morphology)
    return RobotBatch(
        morphology=morphology,
        model=model,
        layout=ObservationLayout(morphology),
        data=[mujoco.MjData(model) for _ in range(environments)],
        qpos=np.zeros((environments, model.nq)),
        qvel=np.zeros((environments, model.nv)),
        sensors=np.zeros((environments, model.nsensordata)),
        control=np.zeros((environments, model.nu)),
    )


def _copy_out(robot: RobotBatch, environment: int) -> None:
    data = robot.data[environment]
    robot.qpos[environment] = data.qpos
    robot.qvel[environment] = data.qvel
    robot.sensors[environment] = data.sensordata
