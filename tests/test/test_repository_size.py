"""A clone stays small: learned weights and data are shipped only as far as a newcomer needs them."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_000_000


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("the sources are no git clone")
    return done.stdout


def test_checkout_and_history_are_small() -> None:
    """Files as checked out, and git's own store of all revisions, stay under 60 MB each."""
    files = [ROOT / name for name in _git("ls-files", "-z").split("\0") if name]
    assert len(files) > 100
    assert sum(file.stat().st_size for file in files if file.is_file()) < 60 * MEGABYTE
    counts = dict(line.split(": ") for line in _git("count-objects", "-v").splitlines())
    assert (int(counts["size"]) + int(counts["size-pack"])) * 1024 < 60 * MEGABYTE


def test_archived_teachers_are_small() -> None:
    """Each teacher kept in the repository has at most 3 MB."""
    teachers = [ROOT / name for name in _git("ls-files", "-z", "*.pt").split("\0") if name]
    assert all(file.stat().st_size <= 3 * MEGABYTE for file in teachers)
