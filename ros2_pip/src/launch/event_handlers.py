"""Handlers of the events that launch files react to."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from launch.event import Event
from launch.event_handler import Entities, EventHandler, as_entities
from launch.events import ProcessExited, ProcessStarted, Shutdown
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.actions.execute_process import ExecuteProcess

Answer = Entities | Callable[[Event, LaunchContext], Entities]


class _OnEvent(EventHandler):
    """Answers events of one type, of one target or of any."""

    event_type: type[Event]

    def __init__(self, answer: Answer, target_action: ExecuteProcess | None = None, handle_once: bool = False) -> None:
        super().__init__(matcher=self._is_mine, handle_once=handle_once)
        self._answer = answer
        self._target = target_action

    def _is_mine(self, event: Event) -> bool:
        if not isinstance(event, self.event_type):
            return False
        return self._target is None or getattr(event, "action", None) is self._target

    def handle(self, event: Event, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        answer = self._answer(event, context) if callable(self._answer) else self._answer
        return as_entities(answer)

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return [] if callable(self._answer) else as_entities(self._answer)


class OnProcessStart(_OnEvent):
    """Answers the start of a process: of `target_action`, or of any."""

    event_type = ProcessStarted

    def __init__(self, *, target_action: ExecuteProcess | None = None, on_start: Answer) -> None:
        """`on_start` gives entities, or is a function (event, context) that returns them."""
        super().__init__(on_start, target_action)


class OnProcessExit(_OnEvent):
    """Answers the end of a process: of `target_action`, or of any."""

    event_type = ProcessExited

    def __init__(self, *, target_action: ExecuteProcess | None = None, on_exit: Answer) -> None:
        """`on_exit` gives entities, or is a function (event, context) that returns them."""
        super().__init__(on_exit, target_action)


class OnShutdown(_OnEvent):
    """Answers the beginning of the shutdown."""

    event_type = Shutdown

    def __init__(self, *, on_shutdown: Answer) -> None:
        """`on_shutdown` gives entities, or is a function (event, context) that returns them."""
        super().__init__(on_shutdown, handle_once=True)


__all__ = ["OnProcessExit", "OnProcessStart", "OnShutdown"]
