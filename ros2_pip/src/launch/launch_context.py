"""What is known while launching: arguments, environment, handlers, processes."""
from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from launch.event import Event
from launch.event_handler import EventHandler

if TYPE_CHECKING:
    from launch.process_table import ProcessTable
    from launch.substitution import Substitution


class LaunchContext:
    """State that substitutions read and actions change."""

    def __init__(self, *, argv: list[str] | None = None, noninteractive: bool = False) -> None:
        """Begin with the environment of this process and without arguments."""
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, str] = {}
        self.environment: dict[str, str] = dict(os.environ)
        self.is_shutdown = False
        self.processes: ProcessTable | None = None
        self.call_later: Callable[[float, list[Any]], None] | None = None
        self._saved: list[tuple[dict[str, str], dict[str, str]]] = []
        self._handlers: list[EventHandler] = []
        self._events: deque[Event] = deque()
        self._locals: dict[str, Any] = {}

    def perform_substitution(self, substitution: Substitution) -> str:
        """Return the substitution's text."""
        return substitution.perform(self)

    def push_scope(self) -> None:
        """Save arguments and environment."""
        self._saved.append((dict(self.launch_configurations), dict(self.environment)))

    def pop_scope(self) -> None:
        """Restore the arguments and environment saved last."""
        self.launch_configurations, self.environment = self._saved.pop()

    def register_event_handler(self, handler: EventHandler) -> None:
        """Ask `handler` about every event from now on, before those registered earlier."""
        self._handlers.insert(0, handler)

    def unregister_event_handler(self, handler: EventHandler) -> None:
        """Ask `handler` no more."""
        self._handlers.remove(handler)

    def handlers_of(self, event: Event) -> list[EventHandler]:
        """Return the handlers that answer the event; those that answer once are forgotten."""
        matching = [handler for handler in self._handlers if handler.matches(event)]
        self._handlers = [handler for handler in self._handlers if not (handler in matching and handler.handle_once)]
        return matching

    def emit_event_sync(self, event: Event) -> None:
        """Put the event behind those that wait."""
        self._events.append(event)

    def next_event(self) -> Event | None:
        """Take the event that has waited longest, or None."""
        return self._events.popleft() if self._events else None

    def extend_locals(self, values: Mapping[str, Any]) -> None:
        """Add local values, such as the folder of the launch file."""
        self._locals.update(values)

    def get_locals_as_dict(self) -> dict[str, Any]:
        """Return the local values."""
        return dict(self._locals)
