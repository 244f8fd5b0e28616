"""The queue of `reproduce` on disk: which steps are done, one process at a time, the rest in their order.

A step is done when its folder holds `done.json`, which is written last and renamed into place. A process that is killed
at any moment loses what the step at work had not saved; the next one continues it.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hd_controller.errors import HdError
from hd_training.reproduction_plan import Step
from hd_training.reproduction_steps import Workplace, run_step

BEGUN, DONE, LOCK = "begun.json", "done.json", "queue.lock"


@dataclass(frozen=True)
class Record:
    """What a step's folder says about it."""

    digest: str
    seconds: float  # of all attempts that ended [s]; those that were killed are not counted


def _read(path: Path) -> Record | None:
    """The record in a file; None where there is none, HdError where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Record(str(content["digest"]), float(content["seconds"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HdError(f"{path} is damaged ({error}); remove its folder to do this step again") from error


def _write(path: Path, record: Record) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(vars(record)) + "\n", encoding="utf-8")
    temporary.replace(path)


def finished(step: Step, place: Workplace) -> Record | None:
    """The record of a step that is done; None where it is not.

    Raises:
        HdError: the folder holds this step made with other settings or from other inputs.
    """
    folder = place.folder(step)
    for name in (DONE, BEGUN):
        record = _read(folder / name)
        if record is not None and record.digest != step.digest:
            raise HdError(
                f"{folder} was made with other settings, robots or teachers than this run has; choose another --out, "
                "or do again what differs with --overwrite"
            )
        if record is not None:
            return record if name == DONE else None
    return None


def clear_other(step: Step, place: Workplace) -> bool:
    """Remove a step's folder if it was made with other settings; whether it was."""
    folder = place.folder(step)
    records = [_read(folder / name) for name in (DONE, BEGUN)]
    other = any(record is not None and record.digest != step.digest for record in records)
    if other:
        shutil.rmtree(folder)
    return other


def run(step: Step, place: Workplace) -> Record:
    """Do a step and note it; Ctrl-C leaves its time so far."""
    folder = place.folder(step)
    folder.mkdir(parents=True, exist_ok=True)
    before = _read(folder / BEGUN) or Record(step.digest, 0.0)
    _write(folder / BEGUN, before)
    begin = time.monotonic()

    def record() -> Record:
        return Record(step.digest, before.seconds + time.monotonic() - begin)

    try:
        run_step(step, place)
    except BaseException:
        _write(folder / BEGUN, record())
        raise
    result = record()
    _write(folder / DONE, result)
    return result


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """HdError while another process works in this folder; a killed process leaves no lock behind."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / LOCK, "w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HdError(f"another process is working in {out}; wait for it or choose another --out") from None
        yield
