"""A line on the screen."""
from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.console import log
from launch.launch_context import LaunchContext
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class LogInfo(Action):
    """Shows a message."""

    def __init__(self, *, msg: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Remember the message."""
        super().__init__(**kwargs)
        self._message = normalize_to_list_of_substitutions(msg)

    def execute(self, context: LaunchContext) -> None:
        """Show the message."""
        log("INFO", "launch.user", perform_substitutions(context, self._message))
