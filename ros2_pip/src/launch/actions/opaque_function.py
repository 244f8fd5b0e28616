"""A Python function as an action."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity


class OpaqueFunction(Action):
    """Calls function(context, *args, **kwargs), which may return entities to visit."""

    def __init__(
        self,
        *,
        function: Callable[..., Iterable[LaunchDescriptionEntity] | None],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **left_over: Any,
    ) -> None:
        """Remember the function and its arguments."""
        super().__init__(**left_over)
        self._function = function
        self._args = list(args or [])
        self._kwargs = dict(kwargs or {})

    def execute(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Call the function and return its entities."""
        return self._function(context, *self._args, **self._kwargs)
