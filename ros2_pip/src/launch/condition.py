"""The base of all conditions."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class Condition:
    """A yes or no that is found out when an action is visited."""

    def __init__(self, *, predicate: Callable[[LaunchContext], bool]) -> None:
        """Ask `predicate` each time."""
        self._predicate = predicate

    def evaluate(self, context: LaunchContext) -> bool:
        """Return whether the condition holds."""
        return self._predicate(context)
