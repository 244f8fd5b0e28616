"""What shall be done when an event happens."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from launch.event import Event
from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

Entities = Iterable[LaunchDescriptionEntity] | LaunchDescriptionEntity | None


class EventHandler:
    """Answers matching events with entities to visit."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: Entities = None,
        handle_once: bool = False,
    ) -> None:
        """Visit `entities` for each event that `matcher` accepts, or for the first one alone."""
        self._matcher = matcher
        self._entities = entities
        self.handle_once = handle_once

    def matches(self, event: Event) -> bool:
        """Return whether this handler answers the event."""
        return self._matcher(event)

    def handle(self, event: Event, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Return the entities to visit."""
        return as_entities(self._entities)

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Entities known before the event."""
        return as_entities(self._entities)


def as_entities(subject: Entities) -> list[LaunchDescriptionEntity]:
    """Return one entity, several or None as a list."""
    if subject is None:
        return []
    return [subject] if isinstance(subject, LaunchDescriptionEntity) else list(subject)
