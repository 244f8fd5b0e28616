"""Recordings of runs: what they hold, what a disk that refuses does, and where they lie meanwhile."""

import io
import shutil
import tracemalloc
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from hd_controller.errors import HdError
from hd_sim_bridge import disk_space
from hd_sim_bridge import recording as recording_module
from hd_sim_bridge.recording import Recording


def _record(path: Path, steps: int, sentences: list[str] | None = None) -> Recording:
    """A recording of a robot with two joints."""
    recording = Recording(str(path), (sentences if sentences is not None else []).append)
    recording.begin("robot", 2)
    for step in range(steps):
        recording.add(step, np.arange(9.0) + step, np.full(2, float(step)))
    return recording


def test_it_holds_the_steps_of_the_newest_robot_and_leaves_nothing_beside(tmp_path: Path) -> None:
    recording = _record(tmp_path / "run.npz", 3)
    recording.begin("other", 1)
    recording.add(7, np.arange(8.0), np.ones(1))
    recording.add(9, np.arange(8.0) + 1, np.zeros(1))
    recording.save()
    with np.load(tmp_path / "run.npz") as data:
        assert sorted(data.files) == ["efforts", "qpos", "robot_id", "stamp_ns"]
        assert str(data["robot_id"]) == "other" and data["stamp_ns"].tolist() == [7, 9]
        assert data["qpos"].tolist() == [list(range(8)), list(range(1, 9))] and data["efforts"].tolist() == [[1], [0]]
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


def test_without_a_step_the_file_of_an_earlier_run_stays(tmp_path: Path) -> None:
    (tmp_path / "run.npz").write_bytes(b"earlier")
    recording = Recording(str(tmp_path / "run"), print)
    recording.begin("robot", 2)
    recording.save()
    recording.save()
    assert (tmp_path / "run.npz").read_bytes() == b"earlier" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["run.bag", "run.db3", "run.npz.gz", "run.MCAP"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HdError, match=r"expected the name of a file that ends in \.mcap"):
        Recording(str(tmp_path / name), print)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HdError, match="which is a folder"):
        Recording(str(tmp_path), print)


def test_memory_does_not_grow(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        recording = _record(tmp_path / "run.npz", 10)
        before = tracemalloc.get_traced_memory()[0]
        for step in range(20_000):
            recording.add(step, np.zeros(9), np.zeros(2))
        growth = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    recording.save()
    assert growth < 20_000, "20 000 steps hold 1.9 MB"
    with np.load(tmp_path / "run.npz") as data:
        assert data["qpos"].shape == (20_010, 9)


@pytest.mark.parametrize(("path", "word"), [("missing/run.npz", "No such file"), ("folder.npz", "is a folder"),
                                            ("file/run.npz", "Not a directory")])
def test_a_path_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, path: str, word: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(HdError, match=f"record.*{word}"):
        Recording(str(tmp_path / path), print)


def test_a_full_disk_is_told_once_and_keeps_the_steps_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class SmallDisk(io.FileIO):
        """Takes 300 bytes: three rows and part of a fourth."""

        def write(self, data: bytes) -> int:
            return super().write(data[:max(0, 300 - self.tell())])

    monkeypatch.setattr(recording_module, "FileIO", SmallDisk)
    sentences: list[str] = []
    _record(tmp_path / "run.npz", 10, sentences).save()
    assert len(sentences) == 1 and "full" in sentences[0] and "run.npz" in sentences[0]
    with np.load(tmp_path / "run.npz") as data:
        assert data["stamp_ns"].tolist() == [0, 1, 2]


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recording = Recording("", print)
    recording.begin("robot", 2)
    recording.add(1, np.zeros(9), np.zeros(2))
    recording.save()
    assert not list(tmp_path.iterdir())


def test_it_ends_while_there_is_room_for_the_copy_that_completes_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at every 500 steps: 96 bytes each lie in the part file, and completing it takes as much again."""
    room = disk_space.LEAST_FREE_BYTES + 100_000
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: namedtuple("Usage", "free")(room))
    sentences: list[str] = []
    _record(tmp_path / "run.npz", 5000, sentences).save()
    assert len(sentences) == 1 and disk_space.SENTENCE in sentences[0]
    with np.load(tmp_path / "run.npz") as data:
        assert len(data["qpos"]) == 1500
