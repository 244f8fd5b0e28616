"""Compiling on first use: cached by content, complete or not at all, one sentence where it cannot be done."""

import ctypes

import pytest

from hd_controller.errors import HdError
from hd_training import native_library
from hd_training.native_library import load_library


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    try:
        native_library.compiler()
    except HdError:
        pytest.skip("no C compiler on this machine")
    path = tmp_path / "answer.c"
    path.write_text("int answer(void) { return 42; }\n")
    return path


def kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache" / "hd_training").iterdir())


def test_compiles_once_and_again_when_the_source_changes(source, tmp_path, monkeypatch):
    assert load_library(source).answer() == 42
    (name,) = kept(tmp_path)
    with monkeypatch.context() as without:
        without.setattr(native_library, "compiler", lambda: pytest.fail("compiled what was in the cache"))
        assert load_library(source).answer() == 42
    source.write_text("int answer(void) { return 43; }\n")
    assert load_library(source).answer() == 43
    assert len(kept(tmp_path)) == 2 and name in kept(tmp_path)


def test_a_source_that_does_not_compile_is_one_sentence_and_leaves_nothing(source, tmp_path):
    source.write_text("int answer(void) { return }\n")
    with pytest.raises(HdError, match=r"answer\.c: '.*' failed: "):
        load_library(source)
    assert kept(tmp_path) == []


def test_without_a_cache_the_library_is_there_all_the_same(source, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    library = load_library(source)
    assert library.answer() == 42 and isinstance(library, ctypes.CDLL)


def test_a_broken_file_in_the_cache_does_not_stop_anyone(source, tmp_path):
    load_library(source)
    (name,) = kept(tmp_path)
    broken = tmp_path / "cache" / "hd_training" / name
    broken.unlink()
    broken.write_bytes(b"cut off")
    assert load_library(source).answer() == 42


def test_no_compiler_is_one_sentence(source, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(HdError, match="no C compiler"):
        load_library(source)
