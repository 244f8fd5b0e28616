"""``bench_real_time``: the real-time factor that one robot reaches, and several at once, started by their launch files.

Each robot has its own simulation, generator and controller (four processes). The factor is measured from outside, by
the arrival of `/clock` messages, once every controller is in mode run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hd_controller.bench import machine
from hd_controller.benchmark.processes import own_domain
from hd_controller.benchmark.report import Row, as_json, not_measured, table
from hd_controller.command_manners import mannered
from hd_controller.errors import HdError
from hd_controller.robot_file import read_robot
from hd_controller.shipped_files import robot_file
from hd_controller.whole_file import write_whole
from hd_sim_bridge.process_tree import processor_s
from hd_sim_bridge.real_time_watch import RealTimeWatch, watching

START_TIMEOUT_S, END_TIMEOUT_S, WARM_UP_S = 180.0, 60.0, 3.0
SINGLE_AT_LEAST = 0.99
ROBOTS = ("quadruped", "hexapod", "tripod", "centipede")
EXAMPLES = """examples:
  ros2 run hd_sim_bridge bench_real_time                           one robot, then four, 30 s each, on two cores
  ros2 run hd_sim_bridge bench_real_time --factor 4                how far from real time the machine could go
  ros2 run hd_sim_bridge bench_real_time --robots quadruped quadruped --seconds 10 --json factor.json
"""


@dataclass(frozen=True)
class Setup:
    """A launch that is measured."""

    group: str
    file: str
    arguments: tuple[str, ...]
    namespaces: tuple[str, ...]
    at_least: float | None = None


def setups(robots: list[str], factor: float) -> list[Setup]:
    """The first robot alone, and all of them in namespaces."""
    pace = f"real_time_factor:={factor:g}"
    alone = Setup("one robot", "sim.launch.py", (f"robot:={robots[0]}", pace), ("",),
                  SINGLE_AT_LEAST * factor if factor == 1 else None)
    if len(robots) == 1:
        return [alone]
    names = tuple(f"robot_{number}" for number in range(1, len(robots) + 1))
    return [alone, Setup(f"{len(robots)} robots", "several.launch.py", (f"robots:={','.join(robots)}", pace), names)]


@contextmanager
def launched(setup: Setup, domain: int) -> Iterator[subprocess.Popen]:
    """A running `ros2 launch`, ended by Ctrl-C; raises HdError where there is no such command."""
    program = shutil.which("ros2")
    if program is None:
        raise HdError("there is no command ros2 on the PATH; use ./hd shell, or source a ROS 2 distribution")
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    command = [program, "launch", "hd_controller", setup.file, *setup.arguments]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            yield process
        except HdError as problem:
            output.seek(0)
            last = (output.read().strip().splitlines() or ["no output"])[-1]
            raise HdError(f"{problem}; last line of {setup.file}: {last}") from None
        finally:
            _end(process)


def _end(process: subprocess.Popen) -> None:
    """Press Ctrl-C; kill what does not end."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def measured(setup: Setup, seconds: float) -> list[Row]:
    """Start, wait until all run, warm up, measure."""
    domain = own_domain()
    with watching(setup.namespaces, domain) as watch, launched(setup, domain) as process:
        if not watch.spin(lambda: watch.all_run or process.poll() is not None, START_TIMEOUT_S) or not watch.all_run:
            ended = process.poll() is not None
            raise HdError(f"{setup.file} ended before every robot was running" if ended else
                          f"not every robot was running after {START_TIMEOUT_S:g} s")
        watch.spin(lambda: False, WARM_UP_S)
        begin_s, used_s = time.monotonic(), processor_s(process.pid)
        watch.spin(lambda: process.poll() is not None, seconds)
        end_s = time.monotonic()
        if process.poll() is not None:
            raise HdError(f"{setup.file} ended while it was measured")
        return _rows(setup, watch, (begin_s, end_s), (processor_s(process.pid) - used_s) / (end_s - begin_s))


def _rows(setup: Setup, watch: RealTimeWatch, span_s: tuple[float, float], cores: float) -> list[Row]:
    """The figures between two moments of the steady clock."""
    traces = watch.traces.values()
    how = f"{setup.file}, /clock over {span_s[1] - span_s[0]:.0f} s"
    return [
        Row(setup.group, "real-time factor, slowest robot", min(trace.factor(*span_s) for trace in traces), "x", how,
            at_least=setup.at_least),
        Row(setup.group, "lowest second of any robot", min(trace.lowest_factor(*span_s) for trace in traces), "x", how),
        Row(setup.group, "control step p50", 1e3 * watch.step_time_s(0.5), "ms", "topic timing, slowest controller"),
        Row(setup.group, "control step p99", 1e3 * watch.step_time_s(0.99), "ms", "topic timing, slowest controller"),
        Row(setup.group, "processor", 100 * cores, "% core", "all processes of the launch; /proc/PID/task/*/schedstat"),
    ]


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(prog="bench_real_time", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--robots", nargs="+", default=list(ROBOTS), help=f"default: {' '.join(ROBOTS)}")
    result.add_argument("--seconds", type=float, default=30.0, help="length of each measurement (default %(default)g)")
    result.add_argument("--cores", type=int, default=2, help="use so many cores at most (default %(default)d)")
    result.add_argument("--factor", type=float, default=1.0, help="real_time_factor to ask for (default %(default)g)")
    result.add_argument("--json", type=Path, metavar="FILE", help="write rows and machine to this file too")
    return result


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, write; returns the exit code. Raises HdError, for a robot that cannot be read before anything."""
    for robot in arguments.robots:
        read_robot(robot_file(robot), notes=[])
    cores = sorted(os.sched_getaffinity(0))[: arguments.cores]
    os.sched_setaffinity(0, cores)
    load = os.getloadavg()[0]
    rows: list[Row] = []
    for setup in setups(arguments.robots, arguments.factor):
        print(f"measuring {setup.group} ({setup.file}) on {len(cores)} cores ...", file=sys.stderr, flush=True)
        try:
            rows += measured(setup, arguments.seconds)
        except HdError as problem:
            rows.append(not_measured(setup.group, "real-time factor, slowest robot", "x", str(problem)))
    print(table(rows))
    if load > 0.5:
        print(f"note: the load average was {load:.1f} before the first measurement; figures of a busy machine")
    if arguments.json is not None:
        write_whole(arguments.json, as_json(rows, machine() | {"load_average": load}).encode())
    return 0 if any(row.value is not None for row in rows) else 1


@mannered
def main(argv: list[str] | None = None) -> int:
    """Print the table; exit code 1 where nothing could be measured."""
    options = parser()
    arguments = options.parse_args(argv)
    if not 0 < arguments.seconds < 86400 or arguments.cores < 1 or not 0 < arguments.factor < 1000:
        options.error("--seconds, --cores and --factor must be positive")
    try:
        return run(arguments)
    except HdError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
