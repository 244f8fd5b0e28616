"""Texts that are found out while launching."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class Substitution:
    """A text that depends on the context."""

    def describe(self) -> str:
        """Return the substitution as text for people."""
        return f"{type(self).__name__}()"

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it stands for")


SomeSubstitutionsType = str | Path | Substitution | Iterable[str | Path | Substitution]


class TextSubstitution(Substitution):
    """A fixed text."""

    def __init__(self, *, text: str) -> None:
        """Remember the text."""
        if not isinstance(text, str):
            raise TypeError(f"TextSubstitution expects text, got {text!r} of type {type(text).__name__}")
        self._text = text

    @property
    def text(self) -> str:
        """The text."""
        return self._text

    def describe(self) -> str:
        """Return the text in quotes."""
        return f"'{self._text}'"

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        return self._text


def normalize_to_list_of_substitutions(subject: SomeSubstitutionsType) -> list[Substitution]:
    """Return text, substitution or a list of both as a list of substitutions.

    Raises:
        TypeError: an item is neither text, nor path, nor substitution.
    """
    items = [subject] if isinstance(subject, (str, Path, Substitution)) else list(subject)
    return [item if isinstance(item, Substitution) else _text(item) for item in items]


def _text(item: object) -> TextSubstitution:
    if not isinstance(item, (str, Path)):
        raise TypeError(f"expected text, a path or a substitution, got {item!r} of type {type(item).__name__}")
    return TextSubstitution(text=str(item))


def perform_substitutions(context: LaunchContext, substitutions: Iterable[Substitution]) -> str:
    """Return the texts of all substitutions, joined."""
    return "".join(substitution.perform(context) for substitution in substitutions)
