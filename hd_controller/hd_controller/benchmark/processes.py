"""Programs that are measured run as processes of their own, in a ROS domain of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hd_controller.errors import HdError

FIRST_DOMAIN, DOMAINS = 100, 100
END_TIMEOUT_S = 10.0
PROBE, SLEEP_LOOP = "hd_controller.benchmark.probe_node", "hd_controller.benchmark.sleep_loop"
CONTROLLER, GENERATOR = "hd_controller.controller_node", "hd_controller.generator_node"
BUSY_LOOP = "while True: pass"


def own_domain() -> int:
    """A ROS domain that no other program here is likely to use."""
    return FIRST_DOMAIN + os.getpid() % DOMAINS


class Program:
    """One Python module running as a process; use as a context manager, which ends it."""

    def __init__(self, module: str, arguments: list[str], domain: int) -> None:
        self.module = module
        self._output = tempfile.TemporaryFile("w+")
        environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                       "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment,
                                        stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *failure: object) -> None:
        self.end()
        self._output.close()

    def output(self) -> str:
        """What it has printed so far."""
        self._output.seek(0)
        return self._output.read()

    def check(self) -> None:
        """Raise HdError with its last line when it has ended by itself."""
        if self.process.poll() is not None:
            last = (self.output().strip().splitlines() or ["no output"])[-1]
            raise HdError(f"{self.module} ended with code {self.process.returncode}: {last}")

    def end(self) -> None:
        """Ask it to end; kill it when it does not.

        By SIGTERM: a program that a shell has put into the background passes on that SIGINT is ignored, and then one
        that comes before a node can answer it is lost.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def result(self, timeout_s: float) -> str:
        """Its last printed line, when it has ended by itself; raises HdError otherwise."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise HdError(f"{self.module} did not end within {timeout_s:g} s") from None
        lines = self.output().strip().splitlines()
        if code != 0 or not lines:
            raise HdError(f"{self.module} ended with code {code}: {(lines or ['no output'])[-1]}")
        return lines[-1]

    def processor_s(self) -> float:
        """Processor time used by all its threads so far [s], to the nanosecond."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def resident_mb(self) -> float:
        """Resident memory [MB]."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def all_cores_busy(wanted: bool) -> Iterator[None]:
    """One endless loop for each core while inside, at ordinary priority; nothing when not `wanted`."""
    loops = [subprocess.Popen([sys.executable, "-c", BUSY_LOOP], start_new_session=True)
             for _ in range(len(os.sched_getaffinity(0)) if wanted else 0)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


def sleep_until(deadline_s: float) -> None:
    """Sleep until a time on the monotonic clock; return at once when it has passed."""
    left_s = deadline_s - time.monotonic()
    if left_s > 0:
        time.sleep(left_s)
