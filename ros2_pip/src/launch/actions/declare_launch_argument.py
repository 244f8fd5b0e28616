"""An argument of a launch file."""
from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions


class DeclareLaunchArgument(Action):
    """Declares `name:=value`; the value is read with LaunchConfiguration(name)."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Without `default_value` the argument must be given; with `choices` only those are accepted."""
        super().__init__(**kwargs)
        self.name = name
        self.default_value = None if default_value is None else normalize_to_list_of_substitutions(default_value)
        self.description = description or "no description given"
        self.choices = choices

    def execute(self, context: LaunchContext) -> None:
        """Set the default where no value was given; refuse a missing value and one that is no choice."""
        if self.name not in context.launch_configurations:
            if self.default_value is None:
                raise RuntimeError(f"required launch argument '{self.name}' ({self.description}) was not given")
            context.launch_configurations[self.name] = perform_substitutions(context, self.default_value)
        value = context.launch_configurations[self.name]
        if self.choices is not None and value not in self.choices:
            choices = ", ".join(self.choices)
            raise RuntimeError(f"launch argument '{self.name}' is '{value}' but must be one of: {choices}")
