"""Steps that are done once: a stamp, written last, says with which content."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from console import timed


@dataclass(frozen=True)
class Step:
    """One step of the set-up.

    `key` is the content that the step depends on: it is repeated when the key changes. `action` does the work and is
    told whether an earlier run of the step was interrupted.
    """

    name: str
    title: str
    key: str
    action: Callable[[bool], None] = field(compare=False)


class StepRunner:
    """Runs the steps whose stamp does not match."""

    def __init__(self, stamps: Path) -> None:
        """Keep stamps in the folder `stamps`."""
        self._stamps = stamps

    def is_done(self, step: Step) -> bool:
        """Return whether the step was finished with the same key."""
        stamp = self._stamps / step.name
        return stamp.is_file() and stamp.read_text() == step.key

    def run(self, step: Step) -> bool:
        """Run the step unless it is done; return whether it ran."""
        if self.is_done(step):
            return False
        self._stamps.mkdir(parents=True, exist_ok=True)
        started = self._stamps / f"{step.name}.started"
        interrupted = started.exists()
        (self._stamps / step.name).unlink(missing_ok=True)
        started.touch()
        with timed(step.title):
            step.action(interrupted)
        written = self._stamps / f"{step.name}.new"
        written.write_text(step.key)
        written.rename(self._stamps / step.name)
        started.unlink()
        return True

    def forget_all(self) -> None:
        """Remove all stamps: every step is repeated."""
        for stamp in self._stamps.glob("*"):
            stamp.unlink()


def digest(parts: Iterable[str | bytes | Path]) -> str:
    """Return a SHA-256 over texts and over the contents of files; a missing file counts as empty."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            part = part.read_bytes() if part.is_file() else b""
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()
