"""The engine's threads: all take part, errors of any come back, garbage teams end their threads."""

import gc
import threading
from collections import Counter

import pytest

from hd_training.worker_team import WorkerTeam


def engine_threads():
    return [thread for thread in threading.enumerate() if thread.name == "engine worker"]


def test_every_member_takes_part_again_and_again():
    team, seen, barrier = WorkerTeam(4), Counter(), threading.Barrier(4, timeout=10)

    def work():
        barrier.wait()
        seen[threading.get_ident()] += 1

    for _ in range(20):
        team.run(work)
    assert sorted(seen.values()) == [20] * 4
    team.close()


def test_an_error_of_a_helper_is_raised_and_the_team_goes_on():
    team, caller = WorkerTeam(3), threading.get_ident()

    def fail():
        if threading.get_ident() != caller:
            raise ValueError("broken piece")

    with pytest.raises(ValueError, match="broken piece"):
        team.run(fail)
    calls = []
    team.run(lambda: calls.append(1))
    assert len(calls) == 3
    team.close()


def test_threads_end_with_their_team():
    gc.collect()
    before = set(engine_threads())
    team = WorkerTeam(3)
    started = set(engine_threads()) - before
    assert len(started) == 2
    del team
    gc.collect()
    for thread in started:
        thread.join(timeout=10)
        assert not thread.is_alive()
