"""What control costs on this computer: step, latency, jitter, inference, generation, memory and processor time."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a 256-wide product is faster without a thread pool
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hd_controller.benchmark import inference
from hd_controller.benchmark.report import Row, as_json, not_measured, table
from hd_controller.benchmark.robot import twelve_limb_robot, wide_policy
from hd_controller.command_manners import mannered
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shipped_files import generator_folder
from hd_controller.urdf_writer import write_urdf
from hd_controller.whole_file import write_whole

EXAMPLES = """examples:
  ros2 run hd_controller bench                                   everything, about six minutes
  ros2 run hd_controller bench --only inference generation       two groups
  ros2 run hd_controller bench --only jitter --seconds 60        longer, for rare events
  ros2 run hd_controller bench --json bench.json                 the table as JSON too

groups: step (node in this process), latency (two processes), jitter (50, 200, 500 Hz, idle and with every core
busy), executors (why the nodes use the one they use), inference, generation, footprint (memory and processor).
Exit code 0 also where a bar is missed: what a bar means depends on the machine."""


class Bench:
    """The groups, and what they share: a robot of twelve limbs with a policy of the published size."""

    def __init__(self, generator: str, seconds: float, rounds: int) -> None:
        self._folder = generator_folder(generator)
        self._generator = GeneratorBundle.load(self._folder)
        self._policy: PolicyBundle = wide_policy(generate_policy(write_urdf(twelve_limb_robot()), self._generator))
        self._seconds, self._rounds = seconds, rounds

    def groups(self) -> dict[str, Callable[[], list[Row]]]:
        """Name -> measurement, in the order of the table."""
        return {"step": self._step, "latency": self._latency, "jitter": self._jitter, "executors": self._executors,
                "inference": lambda: inference.rows(self._policy, self._rounds), "generation": self._generation,
                "footprint": self._footprint}

    def _step(self) -> list[Row]:
        from hd_controller.benchmark import step
        return step.rows(self._policy, self._seconds, rate_hz=100.0)

    def _latency(self) -> list[Row]:
        from hd_controller.benchmark import latency
        return latency.rows(self._policy, self._seconds)

    def _jitter(self) -> list[Row]:
        from hd_controller.benchmark import jitter
        return jitter.rows(self._policy, self._seconds)

    def _executors(self) -> list[Row]:
        from hd_controller.benchmark import executors
        return executors.rows(self._policy, self._seconds)

    def _generation(self) -> list[Row]:
        from hd_controller.benchmark import generation
        rounds = max(5, int(self._seconds))
        return [*generation.function_rows(self._generator, rounds),
                *generation.node_rows(self._policy, str(self._folder), rounds)]

    def _footprint(self) -> list[Row]:
        from hd_controller.benchmark import footprint
        return footprint.rows(self._policy, 2 * self._seconds)


GROUPS = ("step", "latency", "jitter", "executors", "inference", "generation", "footprint")


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"processor": _processor(), "cores": len(os.sched_getaffinity(0)), "load_average": os.getloadavg()[0],
            "system": platform.release(), "python": platform.python_version()}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def measured(bench: Bench, only: list[str]) -> list[Row]:
    """The rows of the wanted groups; a group that cannot be measured here is one row that says why."""
    rows = []
    for name, measure in bench.groups().items():
        if name not in only:
            continue
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            rows += measure()
        except (HdError, ImportError) as problem:
            rows.append(not_measured(name, "all", "", str(problem)))
    return rows


@mannered
def main(argv: list[str] | None = None) -> int:
    """Print the table; exit code 1 only where nothing can be measured."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(GROUPS), choices=GROUPS, metavar="NAME",
                        help="measure these groups: " + ", ".join(GROUPS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and machine to this file too")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each timed run (default %(default)g)")
    parser.add_argument("--rounds", type=int, default=2000, help="calls of each inference (default %(default)d)")
    parser.add_argument("--generator", default="default", help="a shipped generator or the folder of a bundle")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or not 0 < arguments.seconds < 86400:
        parser.error("--rounds must be at least 1 and --seconds positive")
    try:
        load = os.getloadavg()[0]
        rows = measured(Bench(arguments.generator, arguments.seconds, arguments.rounds), arguments.only)
        print(table(rows))
        if load > 0.5:
            print(f"note: the load average was {load:.1f} before the first measurement; figures of a busy machine")
        if arguments.json is not None:
            write_whole(arguments.json, as_json(rows, machine() | {"load_average": load}).encode())
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
