"""Recordings end before the disk is full, so that they can be closed and others can work. Needs no ROS."""

from __future__ import annotations

import shutil
from pathlib import Path

LEAST_FREE_BYTES = 64_000_000
SENTENCE = f"less than {LEAST_FREE_BYTES // 1_000_000} MB are free on its disk"


def is_short(folder: Path, needed_bytes: int = 0) -> bool:
    """Whether a recording in this folder must end now; needed_bytes: what completing it takes beside."""
    return shutil.disk_usage(folder).free < LEAST_FREE_BYTES + needed_bytes
