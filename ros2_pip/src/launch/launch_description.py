"""The answer of a launch file's `generate_launch_description`."""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.actions.declare_launch_argument import DeclareLaunchArgument
    from launch.launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """An ordered list of entities."""

    def __init__(self, initial_entities: Iterable[LaunchDescriptionEntity] | None = None) -> None:
        """Start with `initial_entities`, visited in order."""
        self._entities = list(initial_entities or [])

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities in order."""
        return self._entities

    def add_action(self, action: LaunchDescriptionEntity) -> None:
        """Append one action."""
        self._entities.append(action)

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Append one entity."""
        self._entities.append(entity)

    def visit(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Return the entities, which are then visited one after another."""
        return self._entities

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities."""
        return self._entities

    def get_launch_arguments(self) -> list[DeclareLaunchArgument]:
        """Return the declared arguments in the order of their declaration, each name once."""
        from launch.actions.declare_launch_argument import DeclareLaunchArgument

        found: dict[str, DeclareLaunchArgument] = {}
        waiting: list[LaunchDescriptionEntity] = list(self._entities)
        while waiting:
            entity = waiting.pop(0)
            if isinstance(entity, DeclareLaunchArgument):
                found.setdefault(entity.name, entity)
            waiting = entity.describe_sub_entities() + waiting
        return list(found.values())
