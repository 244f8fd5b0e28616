"""Policies and descriptions travel on topics of their own and may come in either order."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from hd_controller import policy_intake
from hd_controller.controller import Controller, ControllerSettings
from hd_controller.policy_intake import PolicyIntake


class Intake:
    """A PolicyIntake whose executor is this test, and whose policies need no preparation."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, patience_s: float) -> None:
        self.controller = Controller(ControllerSettings())
        self.ready: list[str] = []
        self.troubles: list[str] = []
        self._tasks: list[Callable[[], None]] = []
        self._arrived = threading.Event()
        monkeypatch.setattr(policy_intake, "UNMATCHED_S", patience_s)
        monkeypatch.setattr(PolicyIntake, "_prepare", lambda self, item: item)
        self.intake = PolicyIntake(self.controller, lambda policy: self.ready.append(policy.description_sha256),
                                   self.troubles.append, self.troubles.append, self._post, lambda item: item)

    def _post(self, task: Callable[[], None]) -> None:
        self._tasks.append(task)
        self._arrived.set()

    def description(self, sha256: str) -> None:
        """A description arrives."""
        self.controller.modes.description(sha256)
        self.intake.description(sha256)

    def policy(self, sha256: str) -> None:
        """A policy arrives."""
        self.intake.policy(SimpleNamespace(description_sha256=sha256))

    def work(self, deadline_s: float = 10.0) -> None:
        """Wait for a task from another thread and carry it out."""
        assert self._arrived.wait(deadline_s), "nothing came"
        self._arrived.clear()
        while self._tasks:
            self._tasks.pop(0)()


@pytest.fixture
def make(monkeypatch):
    """A function that makes an intake of a given patience [s]."""
    made = []

    def begin(patience_s: float) -> Intake:
        made.append(Intake(monkeypatch, patience_s))
        return made[-1]

    yield begin
    for intake in made:
        intake.intake.close()


def test_a_policy_before_its_description_is_taken_and_nothing_is_said(make) -> None:
    intake = make(30.0)
    intake.description("a" * 64)
    intake.policy("b" * 64)
    intake.description("b" * 64)
    intake.work()
    assert intake.ready == ["b" * 64] and not intake.troubles


def test_a_policy_whose_description_does_not_come_is_told_once(make) -> None:
    intake = make(0.05)
    intake.description("a" * 64)
    intake.policy("b" * 64)
    assert not intake.troubles
    intake.work()
    assert len(intake.troubles) == 1 and "bbbbbbbbbbbb is not used" in intake.troubles[0]
    assert not intake.controller.modes.policy_refused, "the description's own policy may still come"


def test_of_two_policies_only_the_newest_is_told(make) -> None:
    intake = make(0.3)
    intake.description("a" * 64)
    intake.policy("b" * 64)
    intake.policy("c" * 64)
    intake.work()
    assert len(intake.troubles) == 1 and "cccccccccccc" in intake.troubles[0]


def test_nothing_is_said_while_there_is_no_description_nor_after_closing(make) -> None:
    waiting, closed = make(0.02), make(0.02)
    waiting.policy("b" * 64)
    waiting.work()
    closed.description("a" * 64)
    closed.policy("b" * 64)
    closed.intake.close()
    end = time.monotonic() + 0.2
    while time.monotonic() < end and not closed._tasks:
        time.sleep(0.01)
    assert not waiting.troubles and not closed._tasks
