"""Real-time factors from the arrival of clock messages, against numbers worked by hand."""

import os
import subprocess
import sys
import time

import pytest

from hd_sim_bridge.process_tree import processor_s, tree
from hd_sim_bridge.real_time_figures import ClockTrace


def trace(period_s: float, count: int = 501) -> ClockTrace:
    """Messages of 0.02 simulated seconds each."""
    result = ClockTrace()
    for step in range(count):
        result.add(100.0 + step * period_s, 5.0 + step * 0.02)
    return result


@pytest.mark.parametrize(("period_s", "factor"), [(0.02, 1.0), (0.04, 0.5), (0.005, 4.0)])
def test_an_even_pace(period_s: float, factor: float) -> None:
    even = trace(period_s)
    assert even.factor(100.0, 102.0) == pytest.approx(factor)
    assert even.lowest_factor(100.0, 102.0) == pytest.approx(factor, rel=0.05)


def test_a_second_of_standstill_is_seen() -> None:
    """Four seconds in real time, one without a message, then real time again: 10 s in 11 s."""
    stopped = ClockTrace()
    for step in range(501):
        stopped.add(step * 0.02 + (1.0 if step > 200 else 0.0), step * 0.02)
    assert stopped.factor(0.0, 11.005) == pytest.approx(10.0 / 11.0)
    assert stopped.lowest_factor(0.0, 11.0) < 0.03
    assert stopped.factor(4.2, 4.8) == 0.0


def test_processor_time_of_children_counts() -> None:
    """A child of a child that is busy for a while; this process is not in its tree."""
    wait = "end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
    busy = f"import time\n{wait}print(1, flush=True)\ninput()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    process = subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"1\n"
        family = tree(process.pid)
        assert len(family) == 2 and os.getpid() not in family
        assert 0.3 <= processor_s(process.pid) < 5.0 + time.process_time()
    finally:
        process.communicate(b"\n", timeout=30)
