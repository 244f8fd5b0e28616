"""Optional help from the operating system: real-time priority, locked memory, chosen cores, cores kept awake.

Each is tried and, where it is not permitted, given up with one line; the controller runs in any case.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hd_controller.errors import HdError

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
CAP_IPC_LOCK = 14
LIMITS = "/etc/security/limits.conf"
CPU_DMA_LATENCY = Path("/dev/cpu_dma_latency")
NO_LATENCY_WISH = -1


@dataclass(frozen=True)
class RealTimeSettings:
    """What the operator asks for; the defaults ask for nothing."""

    rt_priority: int = 0
    """0: ordinary priority; 1 to 99: SCHED_FIFO."""
    lock_memory: bool = False
    cpu_cores: tuple[int, ...] = ()
    """Cores that the control threads may use; empty: all."""
    cpu_dma_latency: int = NO_LATENCY_WISH
    """Longest wake-up of any core [us], 0: none sleeps; the name is the kernel's."""

    def __post_init__(self) -> None:
        """Raise HdError for a priority or a latency that does not exist."""
        if not 0 <= self.rt_priority <= 99:
            raise HdError(f"parameter rt_priority is {self.rt_priority}; expected 0 (ordinary priority) to 99")
        if not NO_LATENCY_WISH <= self.cpu_dma_latency < 2**31:
            raise HdError(f"parameter cpu_dma_latency is {self.cpu_dma_latency}; expected microseconds, 0 for cores "
                          f"that never sleep, or {NO_LATENCY_WISH} to let the system choose")


@dataclass(frozen=True)
class Outcome:
    """What became of one wish, as a sentence for the operator."""

    granted: bool
    sentence: str
    handle: int | None = None
    """File that a wish lasts with, where there is one: it is withdrawn when the file is closed."""


def parse_cores(value: object) -> tuple[int, ...]:
    """Cores from a parameter: '' or [] for all, 1, '0,2' or [0, 2]; raises HdError for anything else."""
    parts = value if isinstance(value, (list, tuple)) else [part for part in str(value).split(",") if part.strip()]
    try:
        cores = tuple(sorted({int(part) for part in parts}))
    except ValueError:
        cores = (-1,)
    if any(core < 0 for core in cores) or isinstance(value, bool):
        raise HdError(f"parameter cpu_cores is '{value}'; expected core numbers such as '2' or '2,3', or nothing")
    return cores


def control_threads() -> list[int]:
    """Ids of the main thread and of all threads that Python did not start: the middleware's and the executor's."""
    others = {thread.native_id for thread in threading.enumerate() if thread is not threading.main_thread()}
    return [int(task.name) for task in Path("/proc/self/task").iterdir() if int(task.name) not in others]


def apply(settings: RealTimeSettings) -> list[Outcome]:
    """Try what was asked for, on the control threads; call it when the middleware's threads are there.

    Threads that are started later, and Python's background threads, keep ordinary priority.
    """
    outcomes = []
    if settings.cpu_cores:
        outcomes.append(pin(control_threads(), settings.cpu_cores))
    if settings.lock_memory:
        outcomes.append(lock_memory())
    if settings.rt_priority:
        outcomes.append(set_priority(control_threads(), settings.rt_priority))
    if settings.cpu_dma_latency != NO_LATENCY_WISH:
        outcomes.append(limit_wake_up(settings.cpu_dma_latency))
    return outcomes


def set_priority(threads: list[int], priority: int) -> Outcome:
    """SCHED_FIFO for the threads; those they start are ordinary again."""
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    try:
        for thread in threads:
            with suppress(ProcessLookupError):  # it has ended since it was listed
                os.sched_setscheduler(thread, policy, os.sched_param(priority))
    except PermissionError:
        limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
        return Outcome(False, f"rt_priority {priority} is not permitted (limit rtprio is {limit}), ordinary priority "
                              f"is used; add 'USER - rtprio 99' to {LIMITS} and log in again, or start the container "
                              "with --cap-add=sys_nice --ulimit rtprio=99")
    except OSError as problem:
        return Outcome(False, f"rt_priority {priority} cannot be set ({problem.strerror}), ordinary priority is used")
    return Outcome(True, f"{len(threads)} control threads run under SCHED_FIFO {priority}")


def locking_obstacle() -> str:
    """What forbids this process to lock its memory, or an empty text.

    Any finite limit does: with one, a later allocation would fail instead of the call that locks.
    """
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if limit == resource.RLIM_INFINITY or _has_capability(CAP_IPC_LOCK):
        return ""
    return f"limit memlock is {limit // 1024} kB"


def lock_memory() -> Outcome:
    """Keep every page that was touched in memory, now and later."""
    obstacle = locking_obstacle()
    if obstacle:
        return Outcome(False, f"lock_memory is not permitted ({obstacle}), memory is not locked; add 'USER - "
                              f"memlock unlimited' to {LIMITS} and log in again, or start the container with "
                              "--ulimit memlock=-1")
    library = ctypes.CDLL(None, use_errno=True)
    if library.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        return Outcome(False, f"lock_memory failed ({os.strerror(ctypes.get_errno())}), memory is not locked")
    return Outcome(True, "memory is locked")


def pin(threads: list[int], cores: tuple[int, ...]) -> Outcome:
    """Let the threads run on these cores only."""
    allowed = os.sched_getaffinity(0)
    text = ", ".join(map(str, cores))
    if not set(cores) <= allowed:
        return Outcome(False, f"cpu_cores {text} are not all there (this process may use "
                              f"{', '.join(map(str, sorted(allowed)))}), no core is chosen")
    try:
        for thread in threads:
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, cores)
    except OSError as problem:
        return Outcome(False, f"cpu_cores {text} cannot be set ({problem.strerror}), no core is chosen")
    return Outcome(True, f"{len(threads)} control threads run on core {text}")


def limit_wake_up(latency_us: int) -> Outcome:
    """Keep all cores out of sleep that takes longer to end [us]; holds until the process ends or closes the handle.

    It is what the kernel calls power management quality of service (Documentation/power/pm_qos_interface).
    """
    try:
        handle = os.open(CPU_DMA_LATENCY, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as problem:
        return Outcome(False, f"cpu_dma_latency {latency_us} cannot be set ({CPU_DMA_LATENCY}: {problem.strerror}), "
                              "cores sleep as they do; let the user write to this file by a udev rule, or start the "
                              f"container with --device={CPU_DMA_LATENCY}")
    os.write(handle, latency_us.to_bytes(4, sys.byteorder))
    return Outcome(True, f"no core sleeps deeper than it can wake up from in {latency_us} us", handle)


def _has_capability(number: int) -> bool:
    """Whether this process has a Linux capability in effect."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
