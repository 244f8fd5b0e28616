"""Priority, memory locking and cores, each granted and refused, in processes of their own."""

import json
import os
import resource
import subprocess
import sys

import pytest

from hd_controller.errors import HdError
from hd_controller.real_time import CPU_DMA_LATENCY, RealTimeSettings, limit_wake_up, parse_cores

PROBE = """
import ctypes, json, os, resource, sys, threading
from hd_controller import real_time
wishes = json.loads(sys.argv[1])
if wishes.pop("plain_user"):
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (8 << 20, 8 << 20))
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 65534)
release = threading.Event()
background = threading.Thread(target=release.wait)
background.start()
outcomes = real_time.apply(real_time.RealTimeSettings(**wishes))
later = threading.Thread(target=release.wait)
later.start()
locked = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmLck")]
scheduling = lambda thread: os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK
print(json.dumps({
    "outcomes": [[outcome.granted, outcome.sentence] for outcome in outcomes],
    "fifo": [scheduling(thread) == os.SCHED_FIFO for thread in (0, background.native_id, later.native_id)],
    "priority": os.sched_getparam(0).sched_priority, "cores": sorted(os.sched_getaffinity(0)),
    "locked_kb": int(locked[0])}))
release.set()
"""


def _try(**wishes: object) -> dict:
    plain_user = wishes.pop("plain_user", False)
    call = [sys.executable, "-c", PROBE, json.dumps({"plain_user": plain_user, **wishes})]
    result = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def _may(limit: int) -> bool:
    return os.geteuid() == 0 or resource.getrlimit(limit)[0] == resource.RLIM_INFINITY


def test_nothing_is_changed_unless_asked() -> None:
    seen = _try()
    assert seen["outcomes"] == [] and seen["fifo"] == [False] * 3 and seen["locked_kb"] == 0


@pytest.mark.skipif(not _may(resource.RLIMIT_RTPRIO), reason="needs permission for real-time priority")
def test_priority_goes_to_the_control_threads_alone() -> None:
    seen = _try(rt_priority=40)
    assert seen["outcomes"][0][0], seen
    assert seen["fifo"] == [True, False, False], "neither a background thread nor a later one may be real-time"
    assert seen["priority"] == 40


@pytest.mark.skipif(not _may(resource.RLIMIT_MEMLOCK), reason="needs permission to lock memory")
def test_memory_is_locked() -> None:
    seen = _try(lock_memory=True)
    assert seen["outcomes"] == [[True, "memory is locked"]] and seen["locked_kb"] > 1000


def test_cores_are_kept_awake() -> None:
    """The file tells its readers the least wish of all processes."""
    outcome = limit_wake_up(7)
    if not outcome.granted:
        pytest.skip("needs permission to keep cores awake")
    try:
        assert int.from_bytes(CPU_DMA_LATENCY.read_bytes(), sys.byteorder) <= 7
    finally:
        os.close(outcome.handle)
    assert _try(cpu_dma_latency=7)["outcomes"] == [[True, outcome.sentence]]


def test_cores_are_chosen() -> None:
    core = max(os.sched_getaffinity(0))
    seen = _try(cpu_cores=[core])
    assert seen["outcomes"][0][0] and seen["cores"] == [core]


def test_each_wish_that_is_not_permitted_gives_one_line_and_the_process_goes_on() -> None:
    seen = _try(plain_user=True, rt_priority=40, lock_memory=True, cpu_cores=[4000], cpu_dma_latency=0)
    assert [granted for granted, _ in seen["outcomes"]] == [False] * 4
    cores, memory, priority, wake_up = (sentence for _, sentence in seen["outcomes"])
    assert "cpu_cores 4000 are not all there" in cores
    assert "lock_memory is not permitted (limit memlock is 8192 kB)" in memory and "limits.conf" in memory
    assert "rt_priority 40 is not permitted (limit rtprio is 0)" in priority and "limits.conf" in priority
    assert "cpu_dma_latency 0 cannot be set (/dev/cpu_dma_latency: " in wake_up and "udev" in wake_up
    assert not any("\n" in sentence for _, sentence in seen["outcomes"])
    assert seen["fifo"] == [False] * 3 and seen["locked_kb"] == 0


@pytest.mark.parametrize(("value", "cores"), [("", ()), ([], ()), (2, (2,)), ("3,1", (1, 3)), ([0, 1, 1], (0, 1))])
def test_cores_are_read_from_what_a_parameter_may_be(value: object, cores: tuple[int, ...]) -> None:
    assert parse_cores(value) == cores


@pytest.mark.parametrize("value", ["one", "-1", "1.5", True, [-2]])
def test_wrong_cores_are_refused(value: object) -> None:
    with pytest.raises(HdError, match="cpu_cores"):
        parse_cores(value)


@pytest.mark.parametrize("priority", [-1, 100])
def test_a_priority_that_does_not_exist_is_refused(priority: int) -> None:
    with pytest.raises(HdError, match="rt_priority"):
        RealTimeSettings(rt_priority=priority)


@pytest.mark.parametrize("latency", [-2, 2**31])
def test_a_latency_that_does_not_exist_is_refused(latency: int) -> None:
    with pytest.raises(HdError, match="cpu_dma_latency"):
        RealTimeSettings(cpu_dma_latency=latency)
