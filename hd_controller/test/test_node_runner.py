"""The loop that runs a node: what it asks of the node between two waits."""

import signal
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

import rclpy
from rclpy.node import Node

from hd_controller.node_runner import declare_executor, run_node

DEADLINE_S = 30.0
CALLS = 5


class Watcher(Node):
    """Receives nothing; ends when its watch was called often enough, with code 1 at the deadline."""

    watch_period_s = 0.01

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

    def watch(self) -> None:
        """Count."""
        self.calls += 1
        if self.calls == CALLS:
            self.exit_code = 0

    def _late(self) -> None:
        self.exit_code = 1


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Signal handlers as before, and a ROS domain that stays on this computer."""
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("executor", ["events", "single"])
def test_a_node_that_hears_nothing_is_asked_all_the_same(executor: str, handlers: None) -> None:
    """A watch finds what does not come, so silence must not put it off."""
    made: list[Watcher] = []

    def make() -> Watcher:
        made.append(Watcher(executor))
        return made[0]

    assert run_node(make) == 0
    assert made[0].calls == CALLS
