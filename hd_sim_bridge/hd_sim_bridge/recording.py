"""What a robot did, step by step: kept on disk while it runs, made one file at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import numpy as np

from hd_controller.errors import HdError
from hd_sim_bridge import disk_space

STEPS_PER_LOOK = 500


class Recording:
    """Configurations and efforts of the steps of one robot; a new robot begins a new recording.

    The file (.npz, no pickle) holds `robot_id`, `stamp_ns` (T,), `qpos` (T, 7 + J) after each step and `efforts` (T, J)
    [N m] during it. Until `save`, steps lie in a part file beside it, so memory does not grow. `log` gets one sentence
    when the disk refuses a step, or has little room left beside the copy that `save` makes; the steps before are kept.
    """

    def __init__(self, path: str, log: Callable[[str], object]) -> None:
        """Open the part file, if a path is given; raises HdError when that cannot be done."""
        self._log = log
        self._robot_id = ""
        self._row = np.zeros((), [("stamp_ns", np.int64)])
        self._part: FileIO | None = None
        self._full = False
        self._steps = 0
        if path:
            self._path = _checked(path)
            try:
                self._part = FileIO(self._beside("part"), "w+")
            except OSError as problem:
                raise HdError(f"parameter record is '{path}', which cannot be written ({problem.strerror}); expected a "
                              "file in a folder that is there and can be written to") from None

    def _beside(self, ending: str) -> Path:
        """Name of a temporary file of this process."""
        return self._path.with_name(f".{self._path.name}.{os.getpid()}.{ending}")

    def begin(self, robot_id: str, joints: int) -> None:
        """Forget the steps of the robot before."""
        self._robot_id = robot_id
        numbers = [("stamp_ns", np.int64), ("qpos", float, (7 + joints,)), ("efforts", float, (joints,))]
        self._row = np.zeros((), numbers)
        if self._part is not None:
            self._part.seek(0)
            self._part.truncate()
            self._full, self._steps = False, 0

    def add(self, stamp_ns: int, qpos: np.ndarray, efforts: np.ndarray) -> None:
        """Keep one step, if a file is wanted."""
        if self._part is None or self._full:
            return
        self._row["stamp_ns"], self._row["qpos"], self._row["efforts"] = stamp_ns, qpos, efforts
        reason = "the disk is full"
        try:
            if self._steps % STEPS_PER_LOOK == 0 and disk_space.is_short(self._path.parent, self._part.tell()):
                self._full, reason = True, disk_space.SENTENCE
            else:
                self._full = self._part.write(self._row.tobytes()) != self._row.nbytes
            self._steps += 1
        except OSError as problem:
            self._full, reason = True, str(problem.strerror)
        if self._full:
            self._log(f"recording to {self._path} ends here: {reason}; the steps so far are kept")

    def save(self) -> None:
        """Write the file, if one is wanted and there is a step to write; raises HdError when the disk refuses."""
        if self._part is None:
            return
        count = os.fstat(self._part.fileno()).st_size // self._row.nbytes
        try:
            if count:
                rows = np.memmap(self._part, self._row.dtype, "r", shape=(count,))
                with self._beside("new").open("wb") as file:
                    np.savez(file, robot_id=np.array(self._robot_id), **{name: rows[name] for name in rows.dtype.names})
                self._beside("new").replace(self._path)
        except OSError as problem:
            self._beside("new").unlink(missing_ok=True)
            raise HdError(f"the recording cannot be written to {self._path} ({problem.strerror})") from None
        finally:
            self._part.close()
            self._part = None
            self._beside("part").unlink(missing_ok=True)


def _checked(path: str) -> Path:
    """The file to write, which ends in .npz; raises HdError for a folder, and for another ending than none."""
    wanted = Path(path).expanduser().absolute()
    if not wanted.suffix and not wanted.is_dir():
        wanted = wanted.with_name(f"{wanted.name}.npz")
    if wanted.is_dir():
        raise HdError(f"parameter record is '{path}', which is a folder; expected the name of a file to write")
    if wanted.suffix != ".npz":
        raise HdError(f"parameter record is '{path}'; expected the name of a file that ends in .mcap (all topics) or "
                      ".npz (states and efforts of every step)")
    return wanted
