"""Actions that set a value in the context."""
from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class _SetValue(Action):
    """Finds out a name and its value."""

    def __init__(self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Remember name and value."""
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)

    def _performed(self, context: LaunchContext) -> dict[str, str]:
        return {perform_substitutions(context, self._name): perform_substitutions(context, self._value)}


class SetEnvironmentVariable(_SetValue):
    """Sets an environment variable for the processes started after it."""

    def execute(self, context: LaunchContext) -> None:
        """Set the variable."""
        context.environment.update(self._performed(context))


class SetLaunchConfiguration(_SetValue):
    """Sets a launch argument."""

    def execute(self, context: LaunchContext) -> None:
        """Set the argument."""
        context.launch_configurations.update(self._performed(context))
