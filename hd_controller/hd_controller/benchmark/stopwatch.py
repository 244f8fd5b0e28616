"""Times of calls that last microseconds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

BLOCK = 20


def timed(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of each call, `rounds` times.

    Calls take turns in blocks of 20: a change of the machine's speed meets all of them alike, and each finds its own
    weights in the cache, as the first call of a block is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    try:
        for _ in range(-(-rounds // BLOCK)):
            for name, call in calls.items():
                call()
                for _ in range(BLOCK):
                    start = time.perf_counter_ns()
                    call()
                    times[name].append((time.perf_counter_ns() - start) / 1e3)
    finally:
        gc.enable()
    return times
