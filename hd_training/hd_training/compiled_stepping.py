"""One control step of all environments in C (`stepping.c`): as `plain_stepping.py`, bit by bit, without Python's lock.

Python's threads take turns at all that is not MuJoCo; over many cores that would eat most of what they give. An error
that MuJoCo itself calls fatal ends the process here.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from ctypes import POINTER, Structure, c_double, c_int64, c_void_p
from functools import cache
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_controller.mujoco_model import CONTROL_PERIOD_S, FRAME_SKIP
from hd_training.episodes import LONGEST_STEP_M, Episodes
from hd_training.flat_task import fall_height
from hd_training.native_library import load_library
from hd_training.robot_batch import START_TIME_S, RobotBatch

SOURCE = Path(__file__).parent / "stepping.c"
FUNCTIONS = ("mj_step", "mj_step1", "mj_step2", "mj_forward", "mj_resetData", "mj_getState", "mj_setState")
ARRAYS = ("actions", "observation", "last_observation")
COUNTERS = ("elapsed", "episode", "finished_steps", "returns", "reward", "finished_return", "end")


class _Body(Structure):
    _fields_ = (
        ("model", c_void_p), ("limbs", c_int64), ("joints", c_int64), ("fall_height", c_double), ("slots", c_void_p),
        ("lower", c_void_p), ("inverse_span", c_void_p),
    )  # fmt: skip


class _Simulation(Structure):
    _fields_ = (
        ("body", POINTER(_Body)), ("data", c_void_p), ("ctrl", c_void_p), ("qpos", c_void_p), ("qvel", c_void_p),
        ("sensors", c_void_p), ("starts", c_void_p), ("place", c_int64),
    )  # fmt: skip


class _Task(Structure):
    _fields_ = (
        *((name, c_void_p) for name in FUNCTIONS),
        ("time_bit", c_int64), ("frame_skip", c_int64), ("episode_steps", c_int64), ("limbs", c_int64),
        ("start_time_s", c_double), ("longest_step_m", c_double), ("period_s", c_double),
        *((name, c_void_p) for name in (*ARRAYS, *COUNTERS)),
    )  # fmt: skip


@cache
def libraries() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    """This project's compiled code and MuJoCo's own library; HdError where one cannot be had."""
    found = sorted(Path(mujoco.__file__).parent.glob("libmujoco.*"))
    if not found:
        raise HdError(f"no libmujoco beside {mujoco.__file__}")
    own = load_library(SOURCE)
    own.open_pool.restype = c_void_p
    own.open_pool.argtypes = (c_int64, c_void_p, c_void_p, c_int64)
    for function in (own.begin_step, own.finish_step, own.close_pool):
        function.argtypes, function.restype = (c_void_p,), None
    return own, ctypes.CDLL(str(found[0]))


class CompiledStepping:
    """Steps environments in threads of C; the longest-running bodies first, so that no worker waits long at the end."""

    def __init__(self, episodes: Episodes, workers: int) -> None:
        """Start the threads; HdError where the machine cannot compile."""
        self._own, physics = libraries()
        self.episodes = episodes
        self._actions = np.zeros((*episodes.shape, episodes.limbs, 2))
        self._kept: list[np.ndarray] = []  # arrays that nothing else holds
        self._bodies = (_Body * len(episodes.robots))(*(self._body(robot) for robot in episodes.robots))
        order = np.argsort([-robot.model.nv for robot in episodes.robots], kind="stable")
        simulations = [self._simulation(int(r), e) for r in order for e in range(episodes.environments)]
        self._simulations = (_Simulation * len(simulations))(*simulations)
        self._task = self._shared(physics)
        addresses = ctypes.addressof(self._task), ctypes.addressof(self._simulations)
        self._pool = self._own.open_pool(workers - 1, *addresses, len(simulations))
        if not self._pool:
            raise HdError(f"engine: the system gave no {workers - 1} threads; ask for fewer workers")
        self.close = weakref.finalize(self, self._own.close_pool, self._pool)

    def _address(self, array: np.ndarray) -> int:
        self._kept.append(array)
        return array.ctypes.data

    def _body(self, robot: RobotBatch) -> _Body:
        morphology = robot.morphology
        lower, upper = np.ascontiguousarray(morphology.joint_ranges.T)
        return _Body(
            robot.model._address, len(morphology.limbs), len(morphology.joint_names),
            fall_height(morphology.standing_height), self._address(np.array(morphology.slots, np.int64)),
            self._address(lower), self._address(1.0 / (upper - lower)),
        )  # fmt: skip

    def _simulation(self, robot: int, environment: int) -> _Simulation:
        episodes = self.episodes
        data = episodes.robots[robot].data[environment]
        own = [self._address(array) for array in (data.ctrl, data.qpos, data.qvel, data.sensordata)]
        starts = episodes.starts[robot][environment].ctypes.data
        place = robot * episodes.environments + environment
        return _Simulation(ctypes.pointer(self._bodies[robot]), data._address, *own, starts, place)

    def _shared(self, physics: ctypes.CDLL) -> _Task:
        episodes = self.episodes
        functions = [ctypes.cast(getattr(physics, name), c_void_p) for name in FUNCTIONS]
        arrays = [self._actions, episodes.observation, episodes.last_observation]
        arrays += [getattr(episodes.counters, name) for name in COUNTERS]
        time_bit = int(mujoco.mjtState.mjSTATE_TIME)
        return _Task(
            *functions, time_bit, FRAME_SKIP, episodes.episode_steps, episodes.limbs, START_TIME_S, LONGEST_STEP_M,
            CONTROL_PERIOD_S, *(self._address(array) for array in arrays),
        )  # fmt: skip

    def step(self, actions: np.ndarray, meanwhile: Callable[[], None]) -> None:
        """As :meth:`PlainStepping.step`; `meanwhile` runs in the calling thread beside the helpers."""
        self._actions[:] = actions
        self._own.begin_step(self._pool)
        try:
            meanwhile()
        finally:
            self._own.finish_step(self._pool)
