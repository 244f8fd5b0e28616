"""Films of a simulated robot on a disk that fills up; what they show is tested with the bridge and the gallery."""

import os
import resource
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from hd_controller.mujoco_model import build_model
from hd_controller.robot_file import read_robot
from hd_controller.shipped_files import robot_file
from hd_sim_bridge import disk_space, video_process
from hd_sim_bridge.closed_loop import Trajectory, run_without_effort
from hd_sim_bridge.film_encoder import FORMATS, FilmEncoder
from hd_sim_bridge.video import Video

STEP_NS = 20_000_000


@pytest.fixture(scope="module")
def _opengl() -> None:
    """Skip where no picture can be made."""
    pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")
    for kind in ("egl", "osmesa"):
        probe = subprocess.run([sys.executable, "-c", "import mujoco; mujoco.GLContext(8, 8).free()"], check=False,
                               env={**os.environ, "MUJOCO_GL": kind}, capture_output=True, timeout=120)
        if probe.returncode == 0:
            return
    pytest.skip("no off-screen OpenGL (libegl1 or libosmesa6) on this machine")


@pytest.fixture(scope="module")
def fall() -> Trajectory:
    """Two seconds of a robot without effort."""
    return run_without_effort(read_robot(robot_file("tripod"), notes=[]), 100)


def film(path: Path, fall: Trajectory, sentences: list[str]) -> Video:
    """Film it, patiently."""
    video = Video(str(path), True, sentences.append)
    video.begin(build_model(read_robot(robot_file("tripod"), notes=[])))
    for step, qpos in enumerate(fall.qpos):
        video.add(step * STEP_NS, qpos)
    video.close()
    return video


@pytest.mark.usefixtures("_opengl")
@pytest.mark.parametrize("ending", sorted(FORMATS))
def test_a_disk_that_refuses_leaves_a_sentence_and_no_film(tmp_path: Path, fall: Trajectory, ending: str) -> None:
    """The system's own limit on the size of files stands for the disk."""
    sentences: list[str] = []
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        film(tmp_path / f"run{ending}", fall, sentences)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(sentences) == 1 and "no video" in sentences[0] and "File too large" in sentences[0]
    assert "the simulation goes on" in sentences[0] and not list(tmp_path.iterdir())


def test_the_process_stops_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film that has begun is kept whole; the packets after it are not looked at."""
    free = iter([10**9, 10**9, 10**6])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: namedtuple("Usage", "free")(next(free)))
    states = [(video_process.STATE, 1, bytes([number])) for number in range(200)]
    monkeypatch.setattr(video_process, "packets", lambda stream: iter(states))

    class Shown:
        """Keeps what it is given."""

        def __init__(self) -> None:
            self.taken: list[bytes] = []

        def new_state(self, count: int, content: bytes) -> None:
            self.taken.append(content)

    shown = Shown()
    assert video_process.filmed(shown, tmp_path) == (2 * video_process.FRAMES_PER_LOOK, True)
    assert shown.taken == [content for _, _, content in states[:50]]


@pytest.mark.usefixtures("_opengl")
def test_a_film_cut_short_is_told_of(tmp_path: Path, fall: Trajectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No disk has room for what is asked from the second look on."""
    package = tmp_path / "patched"
    package.mkdir()
    (package / "sitecustomize.py").write_text(
        "import shutil, collections\nusage, looks = shutil.disk_usage, []\n"
        "def short(folder):\n    looks.append(1)\n"
        "    return usage(folder) if len(looks) < 2 else collections.namedtuple('Usage', 'free')(0)\n"
        "shutil.disk_usage = short\n")
    monkeypatch.syspath_prepend(str(package))
    sentences: list[str] = []
    film(tmp_path / "run.mp4", fall, sentences)
    assert len(sentences) == 1 and "ends here" in sentences[0] and disk_space.SENTENCE in sentences[0]
    import imageio_ffmpeg

    frames = imageio_ffmpeg.read_frames(str(tmp_path / "run.mp4"))
    next(frames)
    assert sum(1 for _ in frames) == video_process.FRAMES_PER_LOOK


def test_an_encoder_that_cannot_write_says_why(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")
    encoder = FilmEncoder(tmp_path / "missing" / "run.mp4", FORMATS[".mp4"])
    with pytest.raises(RuntimeError, match=r"ffmpeg could not write it \(.*No such file"):
        for _ in range(50):
            encoder.add(np.zeros((480, 640, 3), np.uint8))
        encoder.close()


def test_a_kind_of_opengl_that_needs_a_display_is_told_with_what_to_do(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    sentences: list[str] = []
    film(tmp_path / "run.mp4", run_without_effort(read_robot(robot_file("tripod"), notes=[]), 5), sentences)
    assert not list(tmp_path.iterdir()) and len(sentences) == 1
    assert "no off-screen OpenGL (glfw: " in sentences[0] and "set MUJOCO_GL=egl or MUJOCO_GL=osmesa" in sentences[0]


def test_without_a_state_there_is_no_film_and_nothing_to_say(tmp_path: Path) -> None:
    sentences: list[str] = []
    video = Video(str(tmp_path / "run.mp4"), True, sentences.append)
    video.close()
    assert not list(tmp_path.iterdir()) and all("OpenGL" in sentence for sentence in sentences)
