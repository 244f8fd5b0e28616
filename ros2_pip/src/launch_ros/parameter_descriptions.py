"""Parameters whose type or origin is said explicitly."""
from __future__ import annotations

import types
import typing
from typing import Any

import yaml
from launch.launch_context import LaunchContext
from launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

_SCALARS = (bool, int, float, str)


class ParameterValue:
    """A parameter's value with its type; without type, a substitution's text is read as YAML."""

    def __init__(self, value: Any, *, value_type: type | None = None) -> None:
        """`value_type` is bool, int, float, str, or list[one of them]."""
        self.value = value
        self.value_type = value_type

    def evaluate(self, context: LaunchContext) -> Any:
        """Return the value; raise ValueError when it is not of the type."""
        value = evaluated(context, self.value, as_text=self.value_type is str)
        return value if self.value_type is None else converted(value, self.value_type)


class ParameterFile:
    """A YAML file of parameters."""

    def __init__(self, param_file: SomeSubstitutionsType, *, allow_substs: bool = False) -> None:
        """Remember the path; substitutions inside the file are not supported here."""
        if allow_substs is not False:
            raise ValueError("ParameterFile(allow_substs=True) is not supported by this subset of launch_ros")
        self.param_file = normalize_to_list_of_substitutions(param_file)

    def evaluate(self, context: LaunchContext) -> str:
        """Return the path."""
        return perform_substitutions(context, self.param_file)


def evaluated(context: LaunchContext, value: Any, *, as_text: bool = False) -> Any:
    """Return a parameter's value; the text of substitutions is read as YAML unless `as_text`."""
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(item, Substitution) for item in items):
        text = perform_substitutions(context, normalize_to_list_of_substitutions(value))
        return text if as_text else yaml.safe_load(text)
    return list(value) if isinstance(value, tuple) else value


def converted(value: Any, value_type: Any) -> Any:
    """Return the value as `value_type`; raise ValueError when that would change its meaning."""
    if isinstance(value_type, types.GenericAlias) or typing.get_origin(value_type) is list:
        (item_type,) = typing.get_args(value_type)
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"value {value!r} must be a list of {item_type.__name__}")
        return [converted(item, item_type) for item in value]
    if value_type not in _SCALARS:
        raise ValueError(f"parameter type {value_type!r} must be bool, int, float, str or a list of one of them")
    if value_type is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, value_type) and not (value_type is int and isinstance(value, bool)):
        return value
    raise ValueError(f"value {value!r} must be of type {value_type.__name__}, not {type(value).__name__}")


def _number(value: int | float | str) -> float:
    """Return the value as a number; raise ValueError that quotes it."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"value {value!r} must be a number") from None


__all__ = ["ParameterFile", "ParameterValue"]
