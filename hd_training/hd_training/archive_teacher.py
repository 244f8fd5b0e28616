"""Command `archive_teacher`: a trained teacher as a small file to keep, without optimiser and simulation states.

Weights are rounded to float16. `collect` and `evaluate` take the file like a checkpoint; training cannot resume from
it, but a new run can start from its weights (`train_teacher --init`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from hd_controller.errors import HdError
from hd_training.architecture import stored_architecture
from hd_training.checkpoint import load_checkpoint, save_checkpoint
from hd_training.export_bundle import git_revision
from hd_training.learner_state import CHECKPOINT

KEPT = (
    "architecture", "context_set", "observation_set", "preset", "body_ids", "context_mean", "context_std", "moments",
    "scale", "counters", "origin",
)  # fmt: skip


def archive_teacher(checkpoint: Path, file: Path) -> int:
    """Write the archive of a checkpoint; returns its size in bytes. HdError where either cannot be read or written."""
    if not checkpoint.is_file():
        raise HdError(f"no checkpoint at {checkpoint}; give the folder of a run with --out")
    if file.is_dir() or (file.exists() and file.samefile(checkpoint)):
        raise HdError(f"{file} is {'a folder' if file.is_dir() else 'the checkpoint itself'}; name another file")
    content = load_checkpoint(checkpoint)
    halves = {name: tensor.to(torch.float16) for name, tensor in content["teacher"].items()}
    kept = {name: content[name] for name in KEPT if name in content}
    kept["architecture"] = stored_architecture(content)
    save_checkpoint(file, {**kept, "teacher": halves, "git_revision": git_revision()})
    return file.stat().st_size


def main(argv: list[str] | None = None) -> int:
    """Archive the teacher of a run."""
    parser = argparse.ArgumentParser(
        description="Keep a trained teacher as a small file (float16, with provenance).",
        epilog="example: archive_teacher --out runs/laptop --file teacher_laptop.pt",
    )
    parser.add_argument("--out", type=Path, required=True, help=f"folder of the run, with {CHECKPOINT}")
    parser.add_argument("--file", type=Path, required=True, help="file to write")
    arguments = parser.parse_args(argv)
    try:
        size = archive_teacher(arguments.out / CHECKPOINT, arguments.file)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.file}: {size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
