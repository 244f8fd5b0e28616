"""Parameters that were given to a node and that it does not have: most likely a slip in a name that matters."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from hd_controller.errors import HdError

MIDDLEWARE = "qos_overrides."
"""ROS itself looks for such names, topic by topic."""


def refuse_unknown(node: Any) -> None:
    """Raise HdError for a parameter that the node has not declared; call it when all are declared.

    ROS passes over them. A controller that was given `guard_profil: hardware` would run without these guards.
    """
    known = node.get_parameters_by_prefix("")
    unknown = sorted(name for name in node._parameter_overrides if name not in known)  # ROS offers no other way
    for name in unknown:
        if not name.startswith(MIDDLEWARE):
            raise HdError(sentence(node.get_name(), name, known))


def sentence(node: str, name: str, known: Collection[str]) -> str:
    """What is wrong with the name, and which one was meant."""
    alike = get_close_matches(name, known, 1)
    advice = f"is '{alike[0]}' meant?" if alike else "--help lists them"
    return f"{node} has no parameter '{name[:80]}'; {advice}"
