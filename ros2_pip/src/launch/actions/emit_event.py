"""Actions that raise events."""
from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.event import Event
from launch.events import Shutdown as ShutdownEvent
from launch.launch_context import LaunchContext
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class EmitEvent(Action):
    """Raises an event."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        """Remember the event."""
        super().__init__(**kwargs)
        self.event = event

    def execute(self, context: LaunchContext) -> None:
        """Put the event behind those that wait."""
        context.emit_event_sync(self.event)


class Shutdown(Action):
    """Ends the whole launch."""

    def __init__(self, *, reason: SomeSubstitutionsType = "reason not given", **kwargs: Any) -> None:
        """Remember the reason."""
        super().__init__(**kwargs)
        self._reason = normalize_to_list_of_substitutions(reason)

    def execute(self, context: LaunchContext) -> None:
        """Raise the Shutdown event."""
        context.emit_event_sync(ShutdownEvent(perform_substitutions(context, self._reason)))
