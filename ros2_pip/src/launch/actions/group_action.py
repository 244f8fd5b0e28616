"""Actions under one condition and in one scope."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class GroupAction(Action):
    """Visits actions in order; what they set (arguments, environment) ends with the group unless `scoped` is False."""

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        launch_configurations: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """`launch_configurations` are arguments for the group alone."""
        super().__init__(**kwargs)
        self._actions = list(actions)
        self._scoped = scoped
        self._configurations = launch_configurations or {}

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Return the actions between the opening and the closing of the scope."""
        if self._scoped:
            context.push_scope()
        for name, value in self._configurations.items():
            key = perform_substitutions(context, normalize_to_list_of_substitutions(name))
            text = perform_substitutions(context, normalize_to_list_of_substitutions(value))
            context.launch_configurations[key] = text
        return [*self._actions, _PopScope()] if self._scoped else self._actions

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the actions."""
        return self._actions


class _PopScope(Action):
    def execute(self, context: LaunchContext) -> None:
        context.pop_scope()
