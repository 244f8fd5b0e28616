"""Atomic files: a checkpoint is either the old one or the new one, never half of it."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

import torch

from hd_controller.errors import HdError

FORMAT_VERSION = 1
EXPECTED = (
    "expected one of train_teacher, train_experts, clone_experts, archive_teacher or distill; give such a file, or "
    "remove this one and train anew"
)


def save_checkpoint(path: Path, content: dict) -> None:
    """Write tensors, arrays as tensors and plain values to `path` through a temporary file beside it.

    Raises:
        HdError: the disk or the folder refuses; an older file of that name is as it was.
    """
    temporary = path.with_name(path.name + ".part")
    whole = io.BytesIO()  # torch, writing to a full disk itself, tells a place in its own source and not what is wrong
    torch.save({"format_version": FORMAT_VERSION, **content}, whole)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as stream:
            stream.write(whole.getbuffer())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise HdError(
            f"cannot write checkpoint {path} ({error.strerror}); the one before it is as it was: free the disk or "
            "choose another --out, then repeat the command with --resume"
        ) from error


def make_run_folder(folder: Path) -> None:
    """Create a run's folder; HdError where there is a file, or no permission."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HdError(f"cannot make the folder {folder} ({error.strerror}); choose another --out") from error


def load_checkpoint(path: Path) -> dict:
    """Read a checkpoint without executing anything in it; HdError says what is wrong with the file."""
    try:
        if path.is_file() and not path.stat().st_size:
            raise HdError(f"checkpoint {path} is empty; {EXPECTED}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except HdError:
        raise
    except FileNotFoundError:
        raise HdError(f"no checkpoint at {path}; start without --resume or give the right --out") from None
    except (PermissionError, IsADirectoryError) as error:
        raise HdError(f"cannot read checkpoint {path} ({error.strerror}); {EXPECTED}") from error
    except Exception as error:  # whatever foreign bytes raise; torch's own text advises to execute what is in them
        kind = type(error).__name__
        raise HdError(
            f"cannot read checkpoint {path}: it is damaged or another kind of file ({kind}); {EXPECTED}"
        ) from error
    if not isinstance(content, dict) or "format_version" not in content:
        raise HdError(f"{path} is no checkpoint of this project: it has no format version; {EXPECTED}")
    version = content["format_version"]
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
