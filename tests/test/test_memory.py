"""The control loop's memory: nothing grows over ten thousand steps of the node, nor over swaps of its robot."""

import gc
import os
import tracemalloc
import weakref
from pathlib import Path

import pytest

from hd_system_tests.fed_controller import policy_of

STEPS = 10_000
GROWTH_BYTES, RESIDENT_GROWTH_MB = 10_000, 2.0


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.integration
@pytest.mark.slow
def test_ten_thousand_steps_do_not_grow(fed, robots) -> None:
    """Python's memory and the process's both stay where they are."""
    fed.take(policy_of(robots, "strider"))
    tracemalloc.start()
    fed.run(STEPS)  # Python's pools of small objects fill up first, by up to 50 kB
    gc.collect()
    before, resident_mb = tracemalloc.get_traced_memory()[0], _resident_mb()
    fed.run(STEPS)
    gc.collect()
    grown, resident_grown_mb = tracemalloc.get_traced_memory()[0] - before, _resident_mb() - resident_mb
    tracemalloc.stop()
    assert fed.node._controller.steps == 2 * STEPS, fed.node._modes.message
    assert grown < GROWTH_BYTES
    assert resident_grown_mb < RESIDENT_GROWTH_MB


@pytest.mark.integration
def test_a_dropped_policy_is_freed_without_the_garbage_collector(fed, robots) -> None:
    """Objects kept out of collections must not hold on to robots of the past."""
    policies = [policy_of(robots, name) for name in ("strider", "quad")]
    fed.take(policies[0])
    fed.run(20)
    old = weakref.ref(fed.node._controller.policy)
    gc.disable()
    try:
        fed.take(policies[1])
        fed.run(20)
        assert old() is None
    finally:
        gc.enable()
