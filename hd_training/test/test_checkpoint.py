"""Checkpoints: whole or not at all, and one sentence for every file that is none."""

import resource
from pathlib import Path

import pytest
import torch

from hd_controller.errors import HdError
from hd_training.checkpoint import load_checkpoint, save_checkpoint

EXPECTED = "expected one of train_teacher, .* or distill; give such a file, or remove this one and train anew"


def foreign_file(kind: str, folder: Path) -> Path:
    """A file that is no checkpoint."""
    path = folder / "teacher.pt"
    save_checkpoint(path, {"value": torch.arange(100_000)})
    if kind in ("cut off", "beginning"):
        path.write_bytes(path.read_bytes()[: 200_000 if kind == "cut off" else 5000])
    elif kind == "module":
        torch.save(torch.nn.Linear(2, 2), path)
    elif kind == "other weights":
        torch.save({"weight": torch.zeros(3)}, path)
    elif kind == "list":
        torch.save([1, 2], path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"empty": b"", "text": b"two\nlines"}[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("empty", "teacher.pt is empty"),
        ("text", "damaged or another kind of file"),
        ("cut off", "damaged or another kind of file"),
        ("beginning", "damaged or another kind of file"),
        ("module", "damaged or another kind of file"),
        ("other weights", "no checkpoint of this project"),
        ("list", "no checkpoint of this project"),
        ("folder", "Is a directory"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence(tmp_path, kind, what):
    path = foreign_file(kind, tmp_path)
    with pytest.raises(HdError, match=f"{what}.*{EXPECTED}") as refused:
        load_checkpoint(path)
    sentence = str(refused.value)
    assert sentence.count(str(path)) == 1 and len(sentence) < 400
    assert "torch.load" not in sentence and "weights_only" not in sentence and "\\n" not in sentence


def test_checkpoint_of_another_version_is_refused(tmp_path):
    torch.save({"format_version": 99}, tmp_path / "t.pt")
    with pytest.raises(HdError, match="format version 99, expected 1"):
        load_checkpoint(tmp_path / "t.pt")


def test_a_disk_that_takes_no_more_keeps_the_old_checkpoint(tmp_path):
    path = tmp_path / "t.pt"
    save_checkpoint(path, {"value": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # a write beyond fails as on a full disk
    try:
        with pytest.raises(HdError, match=r"t\.pt \(File too large\); the one before it is as it was: free the disk"):
            save_checkpoint(path, {"value": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_checkpoint(path)["value"] == 1 and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HdError, match=r"cannot write checkpoint .* \((Not a directory|File exists)\)"):
        save_checkpoint(tmp_path / "file" / "t.pt", {"value": 1})
