"""What a robot did, step by step, kept for a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np


class Recording:
    """Configurations and efforts of the steps of one robot; a new robot begins a new recording.

    The file (.npz, no pickle) holds `robot_id`, `stamp_ns` (T,), `qpos` (T, 7 + J) after each step and `efforts` (T, J)
    [N m] during it.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser() if path else None
        self._robot_id = ""
        self._rows: list[tuple[int, np.ndarray, np.ndarray]] = []

    def begin(self, robot_id: str) -> None:
        """Forget the steps of the robot before."""
        self._robot_id = robot_id
        self._rows = []

    def add(self, stamp_ns: int, qpos: np.ndarray, efforts: np.ndarray) -> None:
        """Keep one step, if a file is wanted."""
        if self._path is not None:
            self._rows.append((stamp_ns, qpos.copy(), efforts.copy()))

    def save(self) -> None:
        """Write the file, if one is wanted and there is something to write."""
        if self._path is not None and self._rows:
            stamps, qpos, efforts = zip(*self._rows, strict=True)
            np.savez(self._path, robot_id=np.array(self._robot_id), stamp_ns=np.array(stamps), qpos=np.array(qpos),
                     efforts=np.array(efforts))
