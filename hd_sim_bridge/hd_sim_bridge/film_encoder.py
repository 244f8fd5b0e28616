"""Kinds of films by the ending of their file, and the encoder that makes them of raw pictures. Needs no ROS."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class FilmFormat:
    """Size in pixels, pictures for each simulated second, and what ffmpeg is told."""

    width: int
    height: int
    frames_per_second: float
    options: tuple[str, ...]

    @property
    def frame_ns(self) -> int:
        """Simulated time between two pictures [ns]."""
        return round(1e9 / self.frames_per_second)


FORMATS = {
    ".mp4": FilmFormat(640, 480, 25.0, ("-c:v", "libx264", "-crf", "25")),
    ".webp": FilmFormat(320, 240, 12.5, ("-c:v", "libwebp_anim", "-q:v", "60", "-loop", "0")),
}
"""By the ending of the file: H.264 for players, and an animated picture, which browsers show without a player."""


class FilmEncoder:
    """ffmpeg, run here because `imageio_ffmpeg.write_frames` hides that it failed, as it does on a full disk.

    Raises RuntimeError with ffmpeg's own sentence, ImportError without the package imageio-ffmpeg.
    """

    def __init__(self, path: Path, film_format: FilmFormat) -> None:
        from imageio_ffmpeg import get_ffmpeg_exe

        size, rate = f"{film_format.width}x{film_format.height}", f"{film_format.frames_per_second:g}"
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [get_ffmpeg_exe(), "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", rate, "-i",
             "-", "-an", *film_format.options, "-pix_fmt", "yuv420p", "-threads", "1", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said, restore_signals=False)

    def add(self, picture: np.ndarray) -> None:
        """One more picture (height, width, 3) uint8."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(picture)
        except OSError:
            self.close()

    def close(self) -> None:
        """Complete the film."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # its exit code tells
        if self._process.wait() != 0:
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").strip().splitlines()
            said = re.sub(r"^(\[[^]]*\] )+", "", lines[-1]) if lines else f"code {self._process.returncode}"
            raise RuntimeError(f"ffmpeg could not write it ({said})")
