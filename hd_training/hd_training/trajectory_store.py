"""One robot's trajectories as an HDF5 file; the schema is in docs/data.md.

Rows lie in random order, so any run of rows is a random sample and training reads blocks instead of single rows.
Numbers are float16, half the size of float32, with an error of at most 2^-11 of their size; so are the labels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from hd_controller.errors import HdError
from hd_controller.observation import OBSERVATION_SET

SCHEMA_VERSION = 1
SUFFIX = ".h5"
CHUNK_ROWS = 512
STORED = np.float16
BYTES_PER_LIMB = 19 * np.dtype(STORED).itemsize
"""17 numbers of observation and 2 actions."""
FILE_OVERHEAD_BYTES = 16_384
_LARGEST = float(np.finfo(STORED).max)


@dataclass(frozen=True)
class RobotTrajectories:
    """What a teacher did with one robot: N rows of raw observations and its mean actions on them."""

    observation: np.ndarray  # (N, L, 17)
    action: np.ndarray  # (N, L, 2), means, not clipped; 0 in empty slots
    action_std: np.ndarray  # (L, 2), of the teacher's distribution; 1 in empty slots


def trajectory_path(folder: Path, body_id: str) -> Path:
    """Where a robot's trajectories lie."""
    return folder / f"{body_id}{SUFFIX}"


def largest_size(rows: int, limbs: int) -> int:
    """Bytes that a robot's file has at most."""
    return rows * limbs * BYTES_PER_LIMB + FILE_OVERHEAD_BYTES


def write_trajectories(path: Path, trajectories: RobotTrajectories, attributes: dict, *, seed: int) -> str:
    """Write rows in an order drawn with `seed`, whole or not at all; returns the file's SHA-256.

    Raises:
        HdError: the file cannot be written, or a number is not finite.
    """
    order = np.random.default_rng(seed).permutation(len(trajectories.action))
    temporary = path.with_name(path.name + ".part")
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs.update(attributes, schema_version=SCHEMA_VERSION, observation_set=OBSERVATION_SET)
            for name in ("observation", "action"):
                _write_rows(file, name, getattr(trajectories, name)[order], path)
            file.create_dataset("action_std", data=trajectories.action_std.astype(np.float32))
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise HdError(f"cannot write trajectories {path}: {error}; make room or choose another --out") from error
    digest = file_sha256(temporary)
    temporary.replace(path)
    return digest


def _write_rows(file: h5py.File, name: str, rows: np.ndarray, path: Path) -> None:
    if not np.isfinite(rows).all():
        raise HdError(f"trajectories for {path}: {name} holds numbers that are not finite; the teacher has diverged")
    stored = rows.clip(-_LARGEST, _LARGEST).astype(STORED)
    chunk = (min(CHUNK_ROWS, len(rows)), *rows.shape[1:])
    file.create_dataset(
        name, data=stored, chunks=chunk, compression="gzip", compression_opts=1, shuffle=True, fletcher32=True
    )


def read_rows(path: Path, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Observations (n, L, 17) and actions (n, L, 2) of rows start..stop, float16 as stored.

    Raises:
        HdError: the file is missing or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            return file["observation"][start:stop], file["action"][start:stop]
    except (OSError, KeyError) as error:
        raise HdError(f"trajectories {path} cannot be read ({error}); collect this robot again") from error


def read_action_std(path: Path) -> np.ndarray:
    """The teacher's std of actions (L, 2); HdError where the file cannot be read."""
    try:
        with h5py.File(path, "r") as file:
            return file["action_std"][:]
    except (OSError, KeyError) as error:
        raise HdError(f"trajectories {path} cannot be read ({error}); collect this robot again") from error


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
