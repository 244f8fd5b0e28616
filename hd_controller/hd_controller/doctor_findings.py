"""What the doctor finds: one line each, with what to do where something is not right."""

from dataclasses import dataclass

OK, WARNING, MISSING = "ok", "warning", "missing"
"""right; works, but not as well as it could; does not work without it."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    area: str
    level: str
    text: str
    advice: str = ""


def good(area: str, text: str) -> Finding:
    """A thing that is right."""
    return Finding(area, OK, text)


def judged(area: str, right: bool, text: str, advice: str, otherwise: str = WARNING) -> Finding:
    """A thing that is right, or else of the level `otherwise`, with what to do."""
    return Finding(area, OK, text) if right else Finding(area, otherwise, text, advice)
