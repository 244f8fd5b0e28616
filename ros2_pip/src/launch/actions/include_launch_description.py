"""Another launch file inside this one."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.launch_description_source import LaunchDescriptionSource
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class IncludeLaunchDescription(Action):
    """Launches what another launch file describes."""

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        **kwargs: Any,
    ) -> None:
        """`launch_arguments` are pairs of name and value."""
        super().__init__(**kwargs)
        source = launch_description_source
        self._source = source if isinstance(source, LaunchDescriptionSource) else LaunchDescriptionSource(source)
        self._arguments = list(launch_arguments or [])

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Set the arguments and return the description."""
        for name, value in self._arguments:
            key = perform_substitutions(context, normalize_to_list_of_substitutions(name))
            text = perform_substitutions(context, normalize_to_list_of_substitutions(value))
            context.launch_configurations[key] = text
        return [self._source.get_launch_description(context)]
