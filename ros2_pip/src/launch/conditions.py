"""Conditions on the truth of a text."""
from __future__ import annotations

from launch.condition import Condition
from launch.launch_context import LaunchContext
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions

_TRUE = ("true", "1")
_FALSE = ("false", "0")


class InvalidConditionExpressionError(Exception):
    """A condition's text is neither true nor false."""


class IfCondition(Condition):
    """Holds when the expression is `true` or `1`, whatever its case."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        """Remember the expression."""
        self._expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=self._is_true)

    def _is_true(self, context: LaunchContext) -> bool:
        text = perform_substitutions(context, self._expression).strip()
        if text.lower() not in _TRUE + _FALSE:
            raise InvalidConditionExpressionError(f"condition '{text}' must be one of true, false, 1, 0")
        return text.lower() in _TRUE


class UnlessCondition(IfCondition):
    """Holds when the expression is `false` or `0`, whatever its case."""

    def evaluate(self, context: LaunchContext) -> bool:
        """Return the opposite of IfCondition."""
        return not super().evaluate(context)


__all__ = ["IfCondition", "InvalidConditionExpressionError", "UnlessCondition"]
