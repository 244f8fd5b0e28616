"""Renders the states that come in over standard input off-screen and makes a film of them; started by `video.py`.

Rendering has a process of its own: it takes no time from the simulation, and trouble with OpenGL cannot end it.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hd_sim_bridge import disk_space
from hd_sim_bridge.film_encoder import FORMATS, FilmEncoder

HEADER = struct.Struct("<cIQ")
"""Kind of a packet, how often its picture is shown, and the length of what follows."""
MODEL, STATE = b"M", b"S"
BACKENDS = ("egl", "osmesa")
FRAMES_PER_LOOK = 25
NO_FILM, CUT_SHORT = 1, 2
"""Exit codes: there is no film, or one that ends before its time; the last line of standard error says why."""


def packets(stream: BinaryIO) -> Iterator[tuple[bytes, int, bytes]]:
    """Kind, count and content of each packet until the stream ends; one that is cut off is passed over."""
    while len(header := stream.read(HEADER.size)) == HEADER.size:
        kind, count, length = HEADER.unpack(header)
        content = stream.read(length)
        if len(content) < length:
            return
        yield kind, count, content


class Film:
    """Pictures of the newest model, encoded as the ending of the file says."""

    def __init__(self, path: Path) -> None:
        self._path, self._format = path, FORMATS[path.suffix]
        self._encoder: FilmEncoder | None = None
        self._renderer: Any = None

    def new_model(self, content: bytes) -> None:
        """A compiled model, as mj_saveModel writes it."""
        import mujoco

        from hd_sim_bridge.following_camera import FollowingCamera

        self._end_renderer()
        model = mujoco.MjModel.from_binary_path("model.mjb", {"model.mjb": content})
        self._model, self._data = model, mujoco.MjData(model)
        self._renderer = mujoco.Renderer(model, self._format.height, self._format.width)
        self._camera = FollowingCamera(model)

    def new_state(self, count: int, content: bytes) -> None:
        """Configuration (7 + J,), shown for `count` frames."""
        import mujoco

        self._data.qpos[:] = np.frombuffer(content)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._camera.follow(self._data.qpos[:3])
        self._renderer.update_scene(self._data, self._camera)
        picture = np.ascontiguousarray(self._renderer.render())
        self._encoder = self._encoder or FilmEncoder(self._path, self._format)
        for _ in range(count):
            self._encoder.add(picture)

    def close(self) -> None:
        """Complete the file, if there is a picture in it."""
        if self._encoder is not None:
            self._encoder.close()
        self._end_renderer()

    def _end_renderer(self) -> None:
        if self._renderer is not None:
            self._renderer.close()


def require_opengl(arguments: list[str]) -> None:
    """Try to render; where MUJOCO_GL is not set, start anew with the next kind of OpenGL before giving up."""
    tried = os.environ.get("HD_VIDEO_TRIED", "").split()
    if "MUJOCO_GL" not in os.environ:
        os.environ["MUJOCO_GL"] = BACKENDS[0]
        os.environ["HD_VIDEO_TRIED"] = BACKENDS[0]
        tried = [BACKENDS[0]]
    try:
        _render_nothing()
    except Exception as problem:  # whatever import and driver raise: the sentence says it
        left = [name for name in BACKENDS if name not in tried] if tried else []
        if left:
            environment = {**os.environ, "MUJOCO_GL": left[0], "HD_VIDEO_TRIED": " ".join([*tried, left[0]])}
            os.execve(sys.executable, [sys.executable, "-m", "hd_sim_bridge.video_process", *arguments], environment)
        kinds = " or ".join(tried) or os.environ["MUJOCO_GL"]
        raise RuntimeError(f"there is no off-screen OpenGL ({kinds}: {problem}); install libegl1 or libosmesa6, and "
                           "set MUJOCO_GL=egl or MUJOCO_GL=osmesa") from None


def _render_nothing() -> None:
    """Raise whatever import and driver raise; with GLFW and no display that is not before a scene is made."""
    import mujoco

    context = mujoco.GLContext(64, 64)
    context.make_current()
    mujoco.MjrContext(mujoco.MjModel.from_xml_string("<mujoco/>"), mujoco.mjtFontScale.mjFONTSCALE_100.value).free()
    context.free()


def filmed(film: Film, folder: Path) -> tuple[int, bool]:
    """Film all packets of standard input; the number of pictures, and whether the disk's space ended it."""
    frames = looks = 0
    for kind, count, content in packets(sys.stdin.buffer):
        if kind == MODEL:
            film.new_model(content)
            continue
        if frames >= looks * FRAMES_PER_LOOK:
            looks += 1
            if disk_space.is_short(folder):
                return frames, True
        film.new_state(count, content)
        frames += count
    return frames, False


def main(arguments: list[str]) -> int:
    """`video_process PART FILE`: write PART, then put it in FILE's place; NO_FILM or CUT_SHORT with a sentence."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
    os.environ.setdefault("LP_NUM_THREADS", "1")  # software OpenGL takes all cores otherwise
    part, path = map(Path, arguments)
    try:
        require_opengl(arguments)
        film = Film(part)
        frames, short = filmed(film, part.parent)
        film.close()
        if frames:
            part.replace(path)
        part.unlink(missing_ok=True)
        if short:
            print(disk_space.SENTENCE, file=sys.stderr)
            return CUT_SHORT if frames else NO_FILM
    except ImportError as problem:
        print(f"the Python package {problem.name} is not installed (pip install imageio-ffmpeg)", file=sys.stderr)
        return NO_FILM
    except Exception as problem:  # the sentence is shown by the bridge, which goes on
        part.unlink(missing_ok=True)
        print(str(problem).strip().splitlines()[-1] if str(problem).strip() else repr(problem), file=sys.stderr)
        return NO_FILM
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
