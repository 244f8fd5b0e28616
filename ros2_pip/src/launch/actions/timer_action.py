"""Actions after a while."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class TimerAction(Action):
    """Visits actions after `period` seconds."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        **kwargs: Any,
    ) -> None:
        """Remember the period [s] and the actions."""
        super().__init__(**kwargs)
        text = str(period) if isinstance(period, (int, float)) else period
        self._period = normalize_to_list_of_substitutions(text)
        self._actions = list(actions)

    def execute(self, context: LaunchContext) -> None:
        """Start the clock."""
        if context.call_later is not None:
            context.call_later(float(perform_substitutions(context, self._period)), self._actions)

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the actions."""
        return self._actions
