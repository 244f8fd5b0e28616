"""Events of a launch: a process started or ended, everything shall end."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from launch.event import Event

if TYPE_CHECKING:
    from launch.actions.execute_process import ExecuteProcess


@dataclass(frozen=True)
class Shutdown(Event):
    """Everything shall end."""

    reason: str = "reason not given"
    due_to_sigint: bool = False
    name = "launch.events.Shutdown"


@dataclass(frozen=True)
class ProcessStarted(Event):
    """A process runs."""

    action: ExecuteProcess
    process_name: str
    pid: int
    name = "launch.events.process.ProcessStarted"


@dataclass(frozen=True)
class ProcessExited(Event):
    """A process ended; `returncode` is negative when a signal ended it."""

    action: ExecuteProcess
    process_name: str
    pid: int
    returncode: int
    name = "launch.events.process.ProcessExited"


__all__ = ["ProcessExited", "ProcessStarted", "Shutdown"]
