"""The gallery's page: whole in itself, with pictures that move, and with the figures of the runs."""

import base64
import io
import json
import os
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from hd_controller.policy_source import policy_of
from hd_sim_bridge import gallery
from hd_sim_bridge.closed_loop import run_closed_loop, run_without_effort
from hd_sim_bridge.gallery_page import Exhibit, page


class Reader(HTMLParser):
    """Sources and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "poster", "data")]

    def handle_data(self, data: str) -> None:
        self.text += data


def opengl() -> bool:
    """Whether a picture can be made off-screen here, by the way of the command itself."""
    pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")
    for kind in ("egl", "osmesa"):
        probe = subprocess.run([sys.executable, "-c", "import mujoco; mujoco.GLContext(8, 8).free()"], check=False,
                               env={**os.environ, "MUJOCO_GL": kind}, capture_output=True, timeout=120)
        if probe.returncode == 0:
            return True
    return False


def frames(source: str) -> np.ndarray:
    """(T, H, W, 3) pictures of an embedded animation, decoded by a library that did not write it."""
    images = pytest.importorskip("PIL.Image", reason="needs pillow")
    kind, _, data = source.partition(",")
    assert kind == "data:image/webp;base64"
    picture = images.open(io.BytesIO(base64.b64decode(data)))
    shown = []
    for index in range(picture.n_frames):
        picture.seek(index)
        shown.append(np.asarray(picture.convert("RGB"), float))
    return np.array(shown)


def test_two_robots_on_one_page(tmp_path, capsys) -> None:
    """Beside each other: the policy's run, which moves, and the same robot at rest; no other file is needed."""
    if not opengl():
        pytest.skip("no off-screen OpenGL (libegl1 or libosmesa6) on this machine")
    out = tmp_path / "page.html"
    arguments = ["--robots", "quadruped", "hexapod", "--seconds", "2", "--seed", "3", "--out", str(out), "--json"]
    assert gallery.main(arguments) == 0
    said = capsys.readouterr()
    robots = {robot["name"]: robot for robot in json.loads(said.out)["robots"]}
    assert list(robots) == ["quadruped", "hexapod"] and "[2/2] hexapod: " in said.err
    read = Reader(out.read_text())
    assert len(read.sources) == 4 and all(source.startswith("data:") for source in read.sources)
    assert "script" not in read.tags and "link" not in read.tags
    for place, name in enumerate(robots):
        bundle = policy_of(name)
        expected = run_closed_loop(bundle, 100, 3).distance_m, run_without_effort(bundle.morphology, 100, 3).distance_m
        assert (robots[name]["distance_m"], robots[name]["idle_distance_m"]) == expected
        assert f"{expected[0]:.2f} m, {expected[0] / 2:.2f} m/s" in read.text
        driven, idle = (frames(source) for source in read.sources[2 * place : 2 * place + 2])
        assert driven.shape[1:] == (240, 320, 3) and 24 <= len(driven) <= 26 and driven[0].std() > 10
        late = len(driven) // 2
        moved = [np.abs(np.diff(shown[late:], axis=0)).mean() for shown in (driven, idle)]
        assert moved[0] > 4 * moved[1], "the left one moves, the right one lies still"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_without_opengl_there_is_one_sentence_and_no_page(tmp_path, monkeypatch, capsys) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", os.devnull)
    assert gallery.main(["--robots", "tripod", "--seconds", "0.5", "--out", str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and "OpenGL" in said.err and "libegl1" in said.err and not said.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("arguments", "word"), [
    (["--robots", "unicorn"], "unicorn"), (["--seconds", "0"], "--seconds is 0"), (["--seed", "-1"], "--seed is -1"),
    (["--out", "missing/page.html"], "cannot be written"), (["--generator", "nowhere"], "nowhere")])
def test_a_users_mistake_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, word) -> None:
    monkeypatch.chdir(tmp_path)
    assert gallery.main(arguments) == 1
    said = capsys.readouterr().err
    assert word in said and len(said.splitlines()) == 1 and not list(tmp_path.iterdir())


def test_names_are_text_and_never_markup() -> None:
    """A robot's name comes from a file of anyone."""
    one = Exhibit("<script>alert(1)</script>", 1, 0, 1.0, False, 1.0, 1.5, -0.004, 0.0, 0.0, b"", b"")
    read = Reader(page([one], {"generator_id": "<b>", "seed": 0, "mujoco": "3"}))
    assert "script" not in read.tags and "Outside the range" in read.text
    assert "1.50 m, 0.00 m/s" in read.text
