"""Actions that start ROS 2 nodes."""
from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.action import Action
from launch.actions import ExecuteProcess
from launch.launch_context import LaunchContext
from launch.substitution import (
    SomeSubstitutionsType,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

from launch_ros.parameter_descriptions import ParameterFile, evaluated
from launch_ros.parameter_file_writer import flattened, write_parameters

SomeParameters = Iterable[SomeSubstitutionsType | ParameterFile | Mapping[Any, Any]]


class Node(ExecuteProcess):
    """Starts a node: an executable of a package, with name, namespace, parameters and remappings."""

    is_node = True

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        parameters: SomeParameters | None = None,
        remappings: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Parameters are files or dictionaries, later ones win; further keywords are those of ExecuteProcess."""
        super().__init__(cmd=[], **kwargs)
        self._package = None if package is None else normalize_to_list_of_substitutions(package)
        self._executable = normalize_to_list_of_substitutions(executable)
        self._node_name = None if name is None else normalize_to_list_of_substitutions(name)
        self._namespace = normalize_to_list_of_substitutions(namespace or "")
        self._parameters = list(parameters or [])
        self._remappings = list(remappings or [])
        self._ros_arguments = list(ros_arguments or [])
        self._arguments = list(arguments or [])

    def command(self, context: LaunchContext) -> list[str]:
        """Return executable, arguments and the ROS arguments for name, namespace, parameters and remappings."""
        ros: list[str] = [_text(context, part) for part in self._ros_arguments]
        if self._node_name is not None:
            ros += ["-r", f"__node:={perform_substitutions(context, self._node_name)}"]
        namespace = self._full_namespace(context)
        if namespace:
            ros += ["-r", f"__ns:={namespace}"]
        for parameters in self._parameters:
            ros += ["--params-file", _parameter_file(context, parameters)]
        for old, new in self._remappings:
            ros += ["-r", f"{_text(context, old)}:={_text(context, new)}"]
        arguments = [_text(context, part) for part in self._arguments]
        return [self._path(context), *arguments, *(["--ros-args", *ros] if ros else [])]

    def process_name(self, context: LaunchContext, command: list[str]) -> str:
        """Return the executable's name."""
        return os.path.basename(command[0])

    def _full_namespace(self, context: LaunchContext) -> str:
        own = perform_substitutions(context, self._namespace)
        return joined_namespace(context.launch_configurations.get("ros_namespace", ""), own)

    def _path(self, context: LaunchContext) -> str:
        executable = perform_substitutions(context, self._executable)
        if self._package is None:
            return executable
        package = perform_substitutions(context, self._package)
        try:
            path = os.path.join(get_package_prefix(package), "lib", package, executable)
        except PackageNotFoundError as error:
            raise RuntimeError(f"package '{package}' not found: is the workspace sourced?") from error
        if not os.access(path, os.X_OK):
            raise RuntimeError(f"package '{package}' has no executable '{executable}' ({path})")
        return path


class PushROSNamespace(Action):
    """Puts the nodes that follow, up to the end of the group, into a namespace."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Remember the namespace; it is relative unless it begins with a slash."""
        super().__init__(**kwargs)
        self._namespace = normalize_to_list_of_substitutions(namespace)

    def execute(self, context: LaunchContext) -> None:
        """Append the namespace to that in force."""
        before = context.launch_configurations.get("ros_namespace", "")
        own = perform_substitutions(context, self._namespace)
        context.launch_configurations["ros_namespace"] = joined_namespace(before, own)


PushRosNamespace = PushROSNamespace


def joined_namespace(before: str, own: str) -> str:
    """Return `own` below `before`, with a leading slash; an absolute `own` stands alone; empty stays empty."""
    if own.startswith("/"):
        return own.rstrip("/")
    parts = [part for part in (*before.split("/"), *own.split("/")) if part]
    return "".join(f"/{part}" for part in parts)


def _text(context: LaunchContext, value: SomeSubstitutionsType) -> str:
    return perform_substitutions(context, normalize_to_list_of_substitutions(value))


def _value(context: LaunchContext, name: str, value: Any) -> Any:
    """Return a parameter's value; raise ValueError that names the parameter when it is not of its type."""
    try:
        return evaluated(context, value)
    except ValueError as error:
        raise ValueError(f"parameter '{name}': {error}") from None


def _parameter_file(context: LaunchContext, parameters: Any) -> str:
    """Return the path of a parameter file: the given one, or one written from a dictionary."""
    if isinstance(parameters, ParameterFile):
        path = parameters.evaluate(context)
    elif isinstance(parameters, Mapping):
        return write_parameters({name: _value(context, name, value) for name, value in flattened(parameters).items()})
    else:
        path = _text(context, parameters)
    if not os.path.isfile(path):
        raise RuntimeError(f"parameter file '{path}' does not exist")
    return path


__all__ = ["Node", "PushROSNamespace", "PushRosNamespace"]
