"""The substitutions that launch files use."""
from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterable

from launch.launch_context import LaunchContext
from launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    TextSubstitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)


class SubstitutionFailure(Exception):
    """A substitution has no value."""


class LaunchConfiguration(Substitution):
    """The value of a launch argument."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: SomeSubstitutionsType | None = None) -> None:
        """Name the argument; `default` stands in where nobody declared or gave it."""
        self._name = normalize_to_list_of_substitutions(variable_name)
        self._default = None if default is None else normalize_to_list_of_substitutions(default)

    @property
    def variable_name(self) -> list[Substitution]:
        """The name as substitutions."""
        return self._name

    def describe(self) -> str:
        """Return LaunchConfiguration('name')."""
        return f"LaunchConfiguration({' + '.join(part.describe() for part in self._name)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the value; raise SubstitutionFailure when there is none."""
        name = perform_substitutions(context, self._name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self._default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_substitutions(context, self._default)


class PathJoinSubstitution(Substitution):
    """Parts of a path, joined by the separator."""

    def __init__(self, substitutions: Iterable[SomeSubstitutionsType]) -> None:
        """Each part may be text, a substitution, or a list of both."""
        self._parts = [normalize_to_list_of_substitutions(part) for part in substitutions]

    def describe(self) -> str:
        """Return PathJoin(part, part)."""
        return f"PathJoin({', '.join(' + '.join(item.describe() for item in part) for part in self._parts)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the joined path."""
        return os.path.join(*[perform_substitutions(context, part) for part in self._parts])


class EnvironmentVariable(Substitution):
    """The value of an environment variable."""

    def __init__(self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None) -> None:
        """Name the variable; `default_value` stands in where it is not set."""
        self._name = normalize_to_list_of_substitutions(name)
        self._default = None if default_value is None else normalize_to_list_of_substitutions(default_value)

    def describe(self) -> str:
        """Return EnvVar('NAME')."""
        return f"EnvVar({' + '.join(part.describe() for part in self._name)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the value; raise SubstitutionFailure when there is none."""
        name = perform_substitutions(context, self._name)
        if name in context.environment:
            return context.environment[name]
        if self._default is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform_substitutions(context, self._default)


class PythonExpression(Substitution):
    """The value of a Python expression, as text."""

    def __init__(
        self, expression: SomeSubstitutionsType, python_modules: SomeSubstitutionsType = ("math",)
    ) -> None:
        """Modules named in `python_modules` can be used in the expression; those of `math` without its name too."""
        self._expression = normalize_to_list_of_substitutions(expression)
        self._modules = normalize_to_list_of_substitutions(python_modules)

    def describe(self) -> str:
        """Return PythonExpr(parts)."""
        return f"PythonExpr({' + '.join(part.describe() for part in self._expression)})"

    def perform(self, context: LaunchContext) -> str:
        """Return str() of the expression's value; raise SubstitutionFailure when it has none."""
        text = perform_substitutions(context, self._expression)
        names: dict[str, object] = {}
        for part in self._modules:
            name = part.perform(context)
            names[name] = importlib.import_module(name)
            if name == "math":
                names.update(vars(names[name]))
        try:
            return str(eval(text, {}, names))
        except Exception as error:
            raise SubstitutionFailure(f"Python expression '{text}' failed: {error}") from error


class FindExecutable(Substitution):
    """The path of a program on PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        """Name the program."""
        self._name = normalize_to_list_of_substitutions(name)

    def describe(self) -> str:
        """Return FindExec('name')."""
        return f"FindExec({' + '.join(part.describe() for part in self._name)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the path; raise SubstitutionFailure when the program is not there."""
        name = perform_substitutions(context, self._name)
        found = shutil.which(name, path=context.environment.get("PATH"))
        if found is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH")
        return found


class ThisLaunchFileDir(Substitution):
    """The folder of the launch file that is being read."""

    def describe(self) -> str:
        """Return ThisLaunchFileDir()."""
        return "ThisLaunchFileDir()"

    def perform(self, context: LaunchContext) -> str:
        """Return the folder; raise SubstitutionFailure outside a launch file."""
        folder = context.get_locals_as_dict().get("current_launch_file_directory")
        if folder is None:
            raise SubstitutionFailure("ThisLaunchFileDir used outside of a launch file")
        return str(folder)


__all__ = [
    "EnvironmentVariable",
    "FindExecutable",
    "LaunchConfiguration",
    "PathJoinSubstitution",
    "PythonExpression",
    "SubstitutionFailure",
    "TextSubstitution",
    "ThisLaunchFileDir",
]
