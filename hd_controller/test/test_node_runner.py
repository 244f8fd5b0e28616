"""The loop that runs a node: what it asks of the node between two waits."""

import errno
import io
import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

import rclpy
from rclpy.node import Node

from hd_controller import node_runner
from hd_controller.node_runner import SPIN_TIMEOUT_S, declare_executor, run_node

DEADLINE_S = 90.0
CALLS = 5
HELD = """
import ctypes, os, signal, sys
from rclpy.node import Node
from hd_controller import node_runner, signals

signals.END_WITHIN_S = 1.0

class Held(Node):
    exit_code = None

    def __init__(self):
        super().__init__("held")
        node_runner.declare_executor(self)
        self.create_timer(0.01, self.tick)

    def start(self, post):
        pass

    def stop(self):
        pass

    def tick(self):
        os.kill(os.getpid(), signal.SIGINT)
        while sys.argv[1] == "tick":
            pass

    def destroy_node(self):
        ctypes.PyDLL(None).sleep(60)  # with Python's lock held

sys.exit(node_runner.run_node(Held, []))
"""
WAITING = """
import sys
from rclpy.node import Node
from hd_controller import node_runner

node_runner.SPIN_TIMEOUT_S = 3600.0  # as if the clock had been set back by an hour amid a wait

class Waiting(Node):
    exit_code = None

    def __init__(self):
        super().__init__("waiting")
        node_runner.declare_executor(self)

    def start(self, post):
        pass

    def watch(self):
        return 3600.0

    def stop(self):
        print("stopped")

class Announced(node_runner.ServiceNotifier):
    def ready(self):
        print("ready", flush=True)

node_runner.ServiceNotifier = Announced
sys.exit(node_runner.run_node(Waiting, ["--ros-args", "-p", f"executor:={sys.argv[1]}"]))
"""


class Watcher(Node):
    """Receives nothing; ends when its watch was called often enough, with code 1 at the deadline."""

    def __init__(self, executor: str) -> None:
        super().__init__("watcher", parameter_overrides=[rclpy.Parameter("executor", value=executor)])
        declare_executor(self)
        self.exit_code: int | None = None
        self.calls = 0
        self.create_timer(DEADLINE_S, self._late)

    def start(self, post: object) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to end."""

    def watch(self) -> float:
        """Count; again soon, please."""
        self.calls += 1
        if self.calls == CALLS:
            self.exit_code = 0
        return 0.01

    def _late(self) -> None:
        self.exit_code = 1


@pytest.mark.parametrize("executor", ["events", "single"])
def test_a_node_that_hears_nothing_is_asked_all_the_same(executor: str, handlers: None) -> None:
    """A watch finds what does not come, so silence must not put it off."""
    made: list[Watcher] = []

    def make() -> Watcher:
        made.append(Watcher(executor))
        return made[0]

    assert run_node(make) == 0
    assert made[0].calls == CALLS


def test_a_node_says_when_it_is_asked_next_but_no_later_than_the_runner_s_own_interval(
        handlers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[float] = []

    class Asking(Watcher):
        """Wants to be asked after these times."""

        def watch(self) -> float:
            super().watch()
            return [0.01, 0.02, 3600.0, 0.001, 0.0][self.calls - 1]

    monkeypatch.setattr(node_runner.Turn, "take", lambda turn, seconds: turns.append(seconds))
    assert run_node(lambda: Asking("single")) == 0
    assert turns == [SPIN_TIMEOUT_S, 0.01, 0.02, SPIN_TIMEOUT_S, 0.001]


@pytest.mark.parametrize("place", ["tick", "destroy_node"])
def test_a_node_that_is_held_says_where_and_ends(place: str) -> None:
    """In a callback that does not return, and in a native call that keeps Python's lock."""
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", HELD, place], capture_output=True, text=True, timeout=DEADLINE_S,
                          check=False, env=environment)
    assert done.returncode == 1, done.stderr
    assert "Timeout" in done.stderr and f"in {place}" in done.stderr, done.stderr


def test_a_full_disk_does_not_change_how_a_node_ends(handlers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Troubles while ending are told where they can be told."""
    class Troubled(Watcher):
        def stop(self) -> None:
            raise RuntimeError("while stopping")

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stderr", Full())
    assert run_node(lambda: Troubled("single")) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["events", "single"])
def test_a_signal_ends_a_wait_whose_timeout_does_not_come(executor: str, number: int) -> None:
    """Whenever it comes: before the wait, and in it."""
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", WAITING, executor], stdout=subprocess.PIPE, text=True,
                               env=environment)
    try:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.communicate(timeout=DEADLINE_S)[0] == "stopped\n"
    finally:
        process.kill()
    assert process.returncode == 0


@pytest.mark.parametrize(("given", "words"), [
    ("executr:=single", "parameter 'executr'; is 'executor' meant?"), ("wheels:=4", "parameter 'wheels'; --help"),
    ("qos_overrides./clock.subscription.depth:=3", ""), ("use_sim_time:=true", "")])
def test_a_parameter_that_the_node_does_not_have_is_refused(
        given: str, words: str, handlers: None, capsys: pytest.CaptureFixture) -> None:
    """ROS would pass over it, and the node run with the default of the one that was meant."""
    code = run_node(lambda: Watcher("single"), ["--ros-args", "-p", given])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert code == bool(words) and len(lines) == bool(words)
    assert not words or words in lines[0]
