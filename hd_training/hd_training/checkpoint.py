"""Atomic files: a checkpoint is either the old one or the new one, never half of it."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from hd_controller.errors import HdError

FORMAT_VERSION = 1


def save_checkpoint(path: Path, content: dict) -> None:
    """Write tensors, arrays as tensors and plain values to `path` through a temporary file beside it."""
    temporary = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(temporary, "wb") as stream:
            torch.save({"format_version": FORMAT_VERSION, **content}, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except (OSError, RuntimeError) as error:  # torch reports a write that was cut off as RuntimeError
        temporary.unlink(missing_ok=True)
        raise HdError(f"cannot write checkpoint {path}: {error}; the previous one is unchanged") from error
    temporary.replace(path)


def make_run_folder(folder: Path) -> None:
    """Create a run's folder; HdError where there is a file, or no permission."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HdError(f"cannot make the folder {folder} ({error.strerror}); choose another --out") from error


def load_checkpoint(path: Path) -> dict:
    """Read a checkpoint without executing anything in it; HdError says what is wrong with the file."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise HdError(f"no checkpoint at {path}; start without --resume or give the right --out") from None
    except PermissionError as error:
        raise HdError(f"cannot read checkpoint {path}: {error.strerror}") from error
    except Exception as error:  # whatever foreign bytes raise; torch's own text advises to execute what is in them
        kind = type(error).__name__
        raise HdError(f"cannot read checkpoint {path}: it is damaged or another kind of file ({kind})") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise HdError(f"checkpoint {path} has format version {version}, expected {FORMAT_VERSION}; train anew")
    return content


def require_equal(path: Path, name: str, found: object, expected: object) -> None:
    """HdError unless a checkpoint's property is what this run needs."""
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = [key for key in found | expected if found.get(key) != expected.get(key)]
        found, expected = ({key: one.get(key) for key in keys} for one in (found, expected))
    if isinstance(found, list) and isinstance(expected, list):
        found, expected = _set_difference(found, expected)
    sentence = f"checkpoint {path} has {name} {found}, this run has {expected}; "
    raise HdError(sentence + f"use another --out or the same {name}")


def _set_difference(found: list, expected: list) -> tuple[str, str]:
    """What two lists have of their own, or that only their order differs."""
    texts = []
    for one, other in ((found, expected), (expected, found)):
        own = [str(item) for item in one if item not in other]
        shown = ", ".join(own[:3]) + (" ..." if len(own) > 3 else "")
        texts.append(f"({len(one)} in all, {len(own)} of its own{': ' + shown if own else ''})")
    same = sorted(found) == sorted(expected)
    return ("in one order", "the same in another") if same else (texts[0], texts[1])
