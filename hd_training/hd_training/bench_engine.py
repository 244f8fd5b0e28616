"""Command `bench_engine`: speed and memory of the batched engine beside a bare MuJoCo loop on the same models."""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import FRAME_SKIP
from hd_training.argument_types import positive
from hd_training.engine import STATE, Engine
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import training_set

WARM_UP_STEPS = 100
"""Control steps before anything is timed: bodies have landed and contacts are as in training."""
HELD_STEPS = 5
"""Control steps for which a random action is held."""
SIZES = (10, 30, 100, 300, 1000)
MANY_CORES = 16
DESCRIPTION = """Measure the batched engine: environment steps per second with observations, rewards and resets,
beside a bare loop of mj_step(nstep=4) on the same models with as many threads. Blocks of both alternate, each pair
from equal states with equal actions; rates and ratio are medians over the blocks. Every case runs in a process of
its own, and resident memory is that process's growth. Other load on the machine lowers the rates: stop it first. The
ratio of processor times, bare loop over engine, suffers less from it but says nothing of waiting. `alone` is the time
of a step in which only the calling thread works; from both follows an estimate of the ratio on 16 such cores."""
EXAMPLES = """examples:
  bench_engine                                     the shipped training set, table on the terminal
  bench_engine --sizes 10 100 --workers 1 2 4      cost of 10 and 100 robots, scaling over 1, 2 and 4 threads
  bench_engine --robots FOLDER --json bench.json   any robots; the figures also as JSON"""


@dataclass(frozen=True)
class Figures:
    """One measured case. Rates are control steps of one environment per second of wall time, medians over blocks."""

    robots: int
    environments: int
    workers: int
    engine_per_s: float
    bare_per_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    cost_us: float
    """Wall time times workers per environment step of the engine [us]."""
    processor_ratio: float
    """Processor time of the bare loop over that of the engine, all threads together."""
    alone_us: float
    """Processor time per step of all environments during which the calling thread works alone [us], lowest decile."""
    many_cores_ratio: float
    """Estimate of `ratio` with MANY_CORES workers, by Amdahl's law from the two figures before."""
    memory_mib: float
    """Growth of resident memory per environment, its share of the robot's model included [MiB]."""


def held_actions(engine: Engine, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Random actions (steps, R, E, L, 2) in [-1, 1], each held for a few control steps."""
    shape = (-(-steps // HELD_STEPS), *engine.observation.shape[:3], 2)
    return np.repeat(rng.uniform(-1, 1, shape).astype(np.float32), HELD_STEPS, axis=0)[:steps]


def resident_mib() -> float:
    """Resident memory of this process [MiB]; NaN where the system doesn't tell."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return float("nan")
    return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class BareLoop:
    """What the engine is measured against: every worker steps its share of environments, nothing is read out."""

    def __init__(self, engine: Engine, workers: int) -> None:
        self.engine = engine
        self.data = [[mujoco.MjData(robot.model) for _ in robot.data] for robot in engine.robots]
        pairs = [(r, e) for r, robot in enumerate(engine.robots) for e in range(len(robot.data))]
        self.shares = [pairs[worker::workers] for worker in range(workers)]
        self.pool = ThreadPoolExecutor(workers)
        self.used = 0.0
        """Processor time of the last block, all threads together [s]."""

    def seconds(self, states: dict[str, np.ndarray], actions: np.ndarray) -> float:
        """Wall time of these actions (steps, R, E, L, 2) from these states of the engine."""
        for index, robot in enumerate(self.engine.robots):
            for row, data in zip(states[f"physics_{index}"], self.data[index], strict=True):
                mujoco.mj_setState(robot.model, data, row, STATE)
        plans = [[self._plan(r, e, actions) for r, e in share] for share in self.shares]
        begin, used = time.perf_counter(), time.process_time()
        list(self.pool.map(_step_all, plans))
        self.used = time.process_time() - used
        return time.perf_counter() - begin

    def _plan(self, r: int, e: int, actions: np.ndarray) -> tuple:
        robot = self.engine.robots[r]
        control = actions[:, r, e].reshape(len(actions), -1)[:, robot.morphology.slots].astype(float)
        return robot.model, self.data[r][e], self.data[r][e].ctrl, control


def _step_all(plan: list[tuple]) -> None:
    """Step outermost, as a batch needs it: all environments of one worker advance together."""
    steps = len(plan[0][3]) if plan else 0
    for step in range(steps):
        for model, data, ctrl, control in plan:
            ctrl[:] = control[step]
            mujoco.mj_step(model, data, nstep=FRAME_SKIP)


class TimedStepping:
    """Put in the place of an engine's stepping, it keeps the calling thread's processor time of the last step [s]."""

    def __init__(self, engine: Engine) -> None:
        self.inner, self.close, self.seconds = engine.stepping, engine.stepping.close, 0.0
        engine.stepping = self

    def step(self, actions: np.ndarray, meanwhile: Callable[[], None]) -> None:
        """Step, and note the time."""
        begin = time.thread_time()
        self.inner.step(actions, meanwhile)
        self.seconds = time.thread_time() - begin


@dataclass
class Times:
    """What the blocks of one case took [s]."""

    wall: list[tuple[float, float]] = field(default_factory=list)  # engine, bare loop
    processor: list[tuple[float, float]] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)  # of each step


def measure(robots: list[Morphology], environments: int, workers: int, blocks: int, seconds: float) -> Figures:
    """Alternate blocks of engine and bare loop from equal states with equal actions; medians over the blocks."""
    gc.collect()
    before = resident_mib()
    engine = Engine(robots, environments=environments, seed=0, workers=workers, stagger=True)
    rng = np.random.default_rng(0)
    begin = time.perf_counter()
    for action in held_actions(engine, WARM_UP_STEPS, rng):
        engine.step(action)
    per_step = (time.perf_counter() - begin) / WARM_UP_STEPS
    count = len(robots) * environments
    memory = (resident_mib() - before) / count
    bare, steps = BareLoop(engine, workers), max(HELD_STEPS, round(seconds / blocks / per_step / 2))
    times = Times()
    for _ in range(blocks):
        actions, states = held_actions(engine, steps, rng), engine.state()
        wall, used = _engine_seconds(engine, actions, times.alone)
        times.wall.append((wall, bare.seconds(states, actions)))
        times.processor.append((used, bare.used))
    engine.close()
    bare.pool.shutdown()
    return _figures(len(robots), environments, workers, memory, times, steps * count)


def _engine_seconds(engine: Engine, actions: np.ndarray, alone: list[float]) -> tuple[float, float]:
    """Wall and processor time of these actions (steps, R, E, L, 2); adds each step's time alone to `alone`."""
    timed = TimedStepping(engine)
    begin, used = time.perf_counter(), time.process_time()
    for action in actions:
        own = time.thread_time()
        engine.step(action)
        alone.append(time.thread_time() - own - timed.seconds)
    times = time.perf_counter() - begin, time.process_time() - used
    engine.stepping = timed.inner
    return times


def _figures(robots: int, environments: int, workers: int, memory: float, times: Times, work: int) -> Figures:
    """Medians over the blocks of `work` environment steps, and quartiles of their ratio."""
    rates = work / np.array(times.wall)
    ratio = rates[:, 0] / rates[:, 1]
    low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
    engine, bare = np.median(rates, axis=0)
    ours, theirs = robots * environments / work * np.median(np.array(times.processor), axis=0)  # per step of all [s]
    alone = np.quantile(times.alone, 0.1)
    many = theirs / MANY_CORES / ((ours - alone) / MANY_CORES + alone)
    values = (engine, bare, middle, low, high, 1e6 * workers / engine, theirs / ours, 1e6 * alone, many, memory)
    return Figures(robots, environments, workers, *(round(float(value), 4) for value in values))


def repeated(robots: list[Morphology], count: int) -> list[Morphology]:
    """`count` robots, going round the given ones; each still gets a model of its own."""
    return [robots[index % len(robots)] for index in range(count)]


def cases(sizes: list[int], workers: list[int]) -> list[tuple[int, int]]:
    """(robots, workers): all sizes with the most workers, then the other workers with the size nearest to 100."""
    most = max(workers)
    middle = min(sizes, key=lambda size: abs(size - 100))
    return [(size, most) for size in sizes] + [(middle, count) for count in sorted(set(workers) - {most}, reverse=True)]


HEADER = ("robots  envs each  workers  engine steps/s  bare steps/s  engine/bare (quartiles)  us x workers/env step  "
          "processor time  alone us  estimate 16 cores  MiB per env")  # fmt: skip


def row(figures: Figures) -> str:
    """One line of the table."""
    return (
        f"{figures.robots:6d}  {figures.environments:9d}  {figures.workers:7d}  {figures.engine_per_s:14.0f}  "
        f"{figures.bare_per_s:12.0f}  {figures.ratio:11.3f} ({figures.ratio_low:.3f}-{figures.ratio_high:.3f})  "
        f"{figures.cost_us:21.1f}  {figures.processor_ratio:14.3f}  {figures.alone_us:8.1f}  "
        f"{figures.many_cores_ratio:17.2f}  {figures.memory_mib:11.3f}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench_engine", description=DESCRIPTION, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--robots", type=Path, nargs="+", help="robot files or folders (default: the shipped training set)")
    add("--sizes", type=positive, nargs="+", default=list(SIZES), help="numbers of robots (default 10 ... 1000)")
    add("--environments", type=positive, default=2, help="environments per robot (default 2)")
    add("--workers", type=positive, nargs="+", help="numbers of threads (default: 1, 2, 4, ... up to all cores)")
    add("--seconds", type=float, default=10.0, help="measured time per line [s] (default 10)")
    add("--blocks", type=positive, default=10, help="alternating blocks per line (default 10)")
    add("--json", type=Path, help="write the figures to this file, too")
    return parser


def core_counts() -> list[int]:
    """1, 2, 4, ... and the number of cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return sorted({2**power for power in range(cores.bit_length()) if 2**power <= cores} | {cores})


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    arguments = _parser().parse_args(argv)
    try:
        robots = read_robots(arguments.robots or [training_set()])
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{platform.machine()}, {os.cpu_count()} cores, mujoco {mujoco.__version__}, numpy {np.__version__}; "
          f"load before: {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(HEADER)
    measured = []
    for size, workers in cases(arguments.sizes, arguments.workers or core_counts()):
        case = (repeated(robots, size), arguments.environments, workers, arguments.blocks, arguments.seconds)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh_process:
            measured.append(fresh_process.submit(measure, *case).result())
        print(row(measured[-1]), flush=True)
    if arguments.json:
        content = {"mujoco": mujoco.__version__, "numpy": np.__version__, "cases": [asdict(case) for case in measured]}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
