"""Processor time of a process and of all that it started, from Linux's /proc. Needs no ROS."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")


def processor_s(pid: int) -> float:
    """Seconds of processor time that the living processes of a tree have used so far, all threads."""
    return sum(_used_s(one) for one in tree(pid))


def tree(pid: int) -> list[int]:
    """A process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            children.setdefault(_parent(folder), []).append(int(folder.name))
    found = [pid]
    for one in found:  # grows while it is walked
        found += children.get(one, [])
    return found


def _parent(folder: Path) -> int:
    """Parent's id; 0 for a process that has just ended."""
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _used_s(pid: int) -> float:
    """Processor time of one process [s]; 0 when it has ended."""
    try:
        tasks = list((PROC / str(pid) / "task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        return 0.0
