"""Puts an event handler to work."""
from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.event_handler import EventHandler
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity


class RegisterEventHandler(Action):
    """From now on the handler answers its events."""

    def __init__(self, event_handler: EventHandler, **kwargs: Any) -> None:
        """Remember the handler."""
        super().__init__(**kwargs)
        self._handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Register the handler."""
        context.register_event_handler(self._handler)

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities that the handler may answer with."""
        return self._handler.describe_sub_entities()
