"""Sphinx extension: fills `<!-- generated: NAME -->` of a page from the code when the site is built."""

from __future__ import annotations

import re
from collections.abc import Callable

import command_part
import interface_part
import launch_part
import parameter_part
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

PARTS: dict[str, Callable[[], str]] = {
    "interfaces": interface_part.markdown,
    "parameters": parameter_part.markdown,
    "launch arguments": launch_part.markdown,
    "commands": command_part.markdown,
}
_PLACE = re.compile(r"<!-- generated: ([\w ]+) -->")


def fill(text: str) -> str:
    """The text with every place filled; ExtensionError for a part that nothing makes."""

    def part(match: re.Match[str]) -> str:
        if match.group(1) not in PARTS:
            raise ExtensionError(f"no part '{match.group(1)}'; there are: {', '.join(PARTS)}")
        return PARTS[match.group(1)]()

    return _PLACE.sub(part, text)


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def setup(app: Sphinx) -> dict[str, object]:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    return {"version": "1", "parallel_read_safe": False}
