"""The base of all actions."""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.condition import Condition
    from launch.launch_context import LaunchContext


class Action(LaunchDescriptionEntity):
    """Something that is done when it is visited, unless its condition says no."""

    def __init__(self, *, condition: Condition | None = None) -> None:
        """Without a condition the action is always executed."""
        self._condition = condition

    @property
    def condition(self) -> Condition | None:
        """The condition under which the action is executed."""
        return self._condition

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Execute the action when its condition holds."""
        if self._condition is None or self._condition.evaluate(context):
            return self.execute(context)
        return None

    def execute(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Do it; return further entities to visit, or None."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does")
