"""Doctor: whether this computer lets a control loop keep its time: priority, memory, processor, disk."""

import os
import platform
import resource
import shutil
from pathlib import Path

from hd_controller.doctor_findings import MISSING, Finding, good, judged
from hd_controller.real_time import CPU_DMA_LATENCY, locking_obstacle

AREA = "computer"
LIMITS = "/etc/security/limits.conf (then log in again), or the systemd unit in deploy/systemd"
MEMORY_NEEDED_MB, SHARED_MEMORY_NEEDED_MB, DISK_NEEDED_MB = 500, 32, 100


def computer() -> list[Finding]:
    """Permissions of the account that runs this, and what the kernel and the processor are."""
    return [_priority(), _locking(), _staying_awake(), _kernel(), *_processor(), _memory(), _shared_memory(), _disk()]


def _priority() -> Finding:
    """Tries it for real, on this very thread, and goes back."""
    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, before, parameters)
    except OSError as problem:
        return judged(AREA, False, f"real-time priority is not permitted (rtprio limit {limit}; {problem.strerror})",
                      f"add 'USER - rtprio 80' to {LIMITS}")
    return good(AREA, f"real-time priority is permitted (rtprio limit {_number(limit)})")


def _locking() -> Finding:
    """By the rule of the controller's parameter lock_memory."""
    obstacle = locking_obstacle()
    return judged(AREA, not obstacle, f"memory may not be locked ({obstacle})" if obstacle else "memory may be locked",
                  f"for the parameter lock_memory, add 'USER - memlock unlimited' to {LIMITS}")


def _staying_awake() -> Finding:
    """Opens the file for real: a container may forbid what the file's mode allows."""
    try:
        os.close(os.open(CPU_DMA_LATENCY, os.O_WRONLY))
    except OSError as problem:
        return good(AREA, f"cores may not be kept awake ({CPU_DMA_LATENCY}: {problem.strerror}; optional)")
    return good(AREA, "cores may be kept awake (parameter cpu_dma_latency; optional)")


def _kernel() -> Finding:
    release = platform.uname()
    flag = Path("/sys/kernel/realtime")
    real_time = "PREEMPT_RT" in release.version or (flag.is_file() and flag.read_text().strip() == "1")
    return good(AREA, f"kernel {release.release}{' with PREEMPT_RT' if real_time else ', not PREEMPT_RT (optional)'}")


def _processor() -> list[Finding]:
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    findings = [
        judged(AREA, cores >= 2, f"{cores} cores for this account", "control and generation share one core"),
        judged(AREA, load < cores, f"load {load:.1f} on {cores} cores", "other programs take processor time: see top"),
    ]
    governors = {path.read_text().strip() for path in
                 Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")}
    if governors:
        findings.append(judged(AREA, governors == {"performance"}, f"frequency governor {', '.join(sorted(governors))}",
                               "cpupower frequency-set -g performance makes wake-ups quicker"))
    return findings


def _memory() -> Finding:
    lines = Path("/proc/meminfo").read_text().splitlines()
    free_mb = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1024
    return judged(AREA, free_mb >= MEMORY_NEEDED_MB, f"{free_mb:.0f} MB of memory available",
                  f"controller and generator take about {MEMORY_NEEDED_MB} MB together", MISSING)


def _shared_memory() -> Finding:
    try:
        free_mb = shutil.disk_usage("/dev/shm").free / 1e6
    except OSError as problem:
        return judged(AREA, False, f"/dev/shm is not there ({problem.strerror})", "messages take the network stack")
    return judged(AREA, free_mb >= SHARED_MEMORY_NEEDED_MB, f"/dev/shm has {free_mb:.0f} MB free",
                  "in a container: --ipc=host or --shm-size=64m")


def _disk() -> Finding:
    folder = Path(os.environ.get("ROS_LOG_DIR") or Path.home() / ".ros")
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free / 1e6
    return judged(AREA, free_mb >= DISK_NEEDED_MB, f"{free_mb:.0f} MB free for logs in {folder}",
                  "free the disk or set ROS_LOG_DIR: nodes do not start without a place for logs")


def _number(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)
