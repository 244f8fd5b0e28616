"""A film of a simulation, rendered off-screen by a process of its own. Needs no ROS."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_sim_bridge.film_encoder import FORMATS
from hd_sim_bridge.video_process import CUT_SHORT, HEADER, MODEL, STATE

WAITING_FRAMES = 50
CLOSE_TIMEOUT_S = 60.0


class Video:
    """Takes states while a simulation runs; the ending of `path` is one of FORMATS.

    patient: wait for the renderer, as lockstep can; otherwise pictures that it has no time for are left out, and the
    one after is shown longer. `log` gets one sentence when there is no film, whose reason is then in `problem`.
    """

    def __init__(self, path: str, patient: bool, log: Callable[[str], object]) -> None:
        """Start the process. Raises HdError for a path that cannot be written or has another ending."""
        self._path = _checked(path)
        part = self._path.with_name(f".{self._path.stem}.{os.getpid()}.part{self._path.suffix}")
        self._frame_ns = FORMATS[self._path.suffix].frame_ns
        self.problem = ""
        self._patient, self._log = patient, log
        self._due_ns: int | None = None
        self._count = 0
        self._queue: queue.Queue[bytes | None] = queue.Queue(WAITING_FRAMES)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hd_sim_bridge.video_process", str(part), str(self._path)], stdin=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, start_new_session=True)
        self._ended = False
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def begin(self, model: mujoco.MjModel) -> None:
        """The robot shown from now on."""
        content = np.empty(mujoco.mj_sizeModel(model), np.uint8)
        mujoco.mj_saveModel(model, None, content)
        self._put(HEADER.pack(MODEL, 0, content.nbytes) + content.tobytes(), wait=True)

    def add(self, now_ns: int, qpos: np.ndarray) -> None:
        """The state (7 + J,) at a simulated time [ns]; shown if a picture is due."""
        if self._due_ns is None:
            self._due_ns = now_ns
        if self._ended or now_ns < self._due_ns:
            return
        frames = 1 + (now_ns - self._due_ns) // self._frame_ns
        self._due_ns += frames * self._frame_ns
        self._count += frames
        content = np.asarray(qpos, dtype=float).tobytes()
        if self._put(HEADER.pack(STATE, self._count, len(content)) + content, wait=self._patient):
            self._count = 0

    def close(self) -> None:
        """Complete the film; returns when it is there, or with a sentence."""
        self._put(None, wait=True)
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            self._log(f"the video {self._path} is still being written")

    def _put(self, packet: bytes | None, *, wait: bool) -> bool:
        """Hand a packet to the thread; False when there was no room, or nobody takes it any more."""
        while not self._ended:
            try:
                self._queue.put(packet, timeout=0.1 if wait else 0)
                return True
            except queue.Full:
                if not wait:
                    return False
        return False

    def _feed(self) -> None:
        """Thread: packets to the process, then its outcome."""
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        try:
            while (packet := self._queue.get()) is not None:
                self._process.stdin.write(packet)
                self._process.stdin.flush()
            self._process.stdin.close()
        except OSError:
            pass  # the process says why
        self._ended = True
        said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        if self._process.wait() != 0:
            self.problem = said[-1] if said else f"the renderer ended with {self._process.returncode}"
            if self._process.returncode == CUT_SHORT:
                self._log(f"video {self._path.name} ends here: {self.problem}; what was filmed so far is kept, and the "
                          "simulation goes on")
            else:
                self._log(f"no video {self._path.name}: {self.problem}; the simulation goes on without it")


def _checked(path: str) -> Path:
    """The file to write; raises HdError for one that cannot be."""
    wanted = Path(path).expanduser().absolute()
    if wanted.suffix not in FORMATS:
        raise HdError(f"parameter video is '{path}'; expected the name of a file that ends in {' or '.join(FORMATS)}")
    if wanted.is_dir() or not os.access(wanted.parent, os.W_OK):
        raise HdError(f"parameter video is '{path}', which cannot be written; expected a file in a folder that is "
                      "there and can be written to")
    return wanted
