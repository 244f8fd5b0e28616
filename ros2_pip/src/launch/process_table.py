"""All running processes, and how they are brought to an end."""
from __future__ import annotations

import asyncio
import shlex
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from launch.child_process import ChildProcess
from launch.console import log
from launch.event import Event
from launch.events import ProcessExited, ProcessStarted

STARTING_S = 10.0
"""So long after its start a node may still be importing what it needs."""


@dataclass(frozen=True)
class ProcessRequest:
    """What to start, and how long to wait between SIGINT, SIGTERM and SIGKILL [s]."""

    action: object
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: str | None
    show: tuple[bool, bool]
    sigterm_timeout_s: float
    sigkill_timeout_s: float
    is_node: bool = False


class ProcessTable:
    """Starts processes, tells when they end, and ends them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, emit: Callable[[Event], None]) -> None:
        """`emit` is called in the loop's thread with ProcessStarted and ProcessExited events."""
        self._loop = loop
        self._emit = emit
        self._count = 0
        self._running: dict[ChildProcess, ProcessRequest] = {}
        self._stopping = False
        self._unready: set[ChildProcess] = set()
        self.failures: list[str] = []

    @property
    def running(self) -> int:
        """Number of running processes."""
        return len(self._running)

    def unique_name(self, name: str) -> str:
        """Return the name with the number of the process in this launch, as in `controller_node-3`."""
        self._count += 1
        return f"{name}-{self._count}"

    def start(self, request: ProcessRequest) -> None:
        """Start a process; one that cannot be started counts as failed.

        After `stop` nothing is started any more.
        """
        if self._stopping:
            return
        try:
            process = ChildProcess(
                request.name,
                request.command,
                environment=request.environment,
                folder=request.folder,
                show=request.show,
                on_exit=lambda ended, code: self._loop.call_soon_threadsafe(self._ended, ended, code),
            )
        except OSError as error:
            log("ERROR", request.name, f"cannot start {request.command[0]}: {error.strerror}")
            self.failures.append(request.name)
            self._emit(ProcessExited(request.action, request.name, 0, 127))
            return
        self._running[process] = request
        log("INFO", request.name, f"process started with pid [{process.pid}]")
        self._emit(ProcessStarted(request.action, request.name, process.pid))
        process.watch()

    def stop(self) -> None:
        """Send SIGINT to all; SIGTERM and SIGKILL follow for those that stay.

        A node gets it alone: it knows what to do with what it started, and may just be asking another interpreter
        something, as the OpenGL bindings do when they are imported.
        """
        if self._stopping:
            return
        self._stopping = True
        for process, request in self._running.items():
            process.signal(self._first_signal(process, request), alone=request.is_node)
            term, kill = request.sigterm_timeout_s, request.sigkill_timeout_s
            self._loop.call_later(term, self._insist, process, signal.SIGTERM, term)
            self._loop.call_later(term + kill, self._insist, process, signal.SIGKILL, kill)

    def _first_signal(self, process: ChildProcess, request: ProcessRequest) -> signal.Signals:
        """SIGINT, or SIGTERM for a node that is still starting.

        ROS catches both signals once it is initialised. Before that there is nothing to make safe, and Python would
        answer SIGINT with a traceback.
        """
        young = time.monotonic() - process.started_s < STARTING_S
        if not (request.is_node and young) or process.catches(signal.SIGTERM):
            return signal.SIGINT
        self._unready.add(process)
        return signal.SIGTERM

    def insist(self, number: signal.Signals) -> None:
        """Send a signal to all that still run."""
        for process in list(self._running):
            process.signal(number)

    def _insist(self, process: ChildProcess, number: signal.Signals, waited_s: float) -> None:
        if process in self._running:
            log("ERROR", process.name, f"still running after {waited_s:g} s: sending {number.name}")
            process.signal(number)

    def _ended(self, process: ChildProcess, returncode: int) -> None:
        request = self._running.pop(process)
        process.signal(signal.SIGTERM)  # whatever it left behind in its session
        if returncode == 0:
            log("INFO", process.name, f"process has finished cleanly [pid {process.pid}]")
        elif process in self._unready and returncode == -signal.SIGTERM:
            log("INFO", process.name, f"process has been ended while it started [pid {process.pid}]")
        else:
            command = shlex.join(process.command)
            details = f"pid {process.pid}, exit code {returncode}, cmd '{command}'"
            log("ERROR", process.name, f"process has died [{details}].")
            if not self._stopping:
                self.failures.append(process.name)
        self._emit(ProcessExited(request.action, process.name, process.pid, returncode))
