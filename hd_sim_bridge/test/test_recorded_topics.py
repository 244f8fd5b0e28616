"""Message definitions and MCAP files, with small packages of messages made here; read back by mcap's reader."""

import collections
import contextlib
import os
import resource
import shutil
from pathlib import Path

import pytest

from hd_controller.errors import HdError
from hd_sim_bridge.mcap_file import McapFile
from hd_sim_bridge.message_definitions import message_definition


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """Two packages whose messages refer to each other in all the ways there are."""
    texts = {"one/msg/Outer.msg": "# A comment with words: two/Deep deep\nuint8 KIND=3\nInner[] inners\n"
                                  "two/Deep[<=4] deep   # bounded\nstring<=10 text \"x\"\nfloat64[3] numbers\n",
             "one/msg/Inner.msg": "two/msg/Deep deep\n", "two/msg/Deep.msg": "int32 value 7\n"}
    for name, text in texts.items():
        (tmp_path / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / name).write_text(text)
    return tmp_path / "share"


def test_a_definition_brings_all_types_in_it_once(share: Path) -> None:
    text = message_definition("one/msg/Outer", lambda package: share / package)
    parts = text.split("\n" + "=" * 80 + "\n")
    assert parts[0] == (share / "one/msg/Outer.msg").read_text()
    assert [part.splitlines()[0] for part in parts[1:]] == ["MSG: one/Inner", "MSG: two/Deep"]
    assert parts[2].splitlines()[1] == "int32 value 7"


def test_a_definition_that_is_not_installed_is_named(share: Path) -> None:
    (share / "two/msg/Deep.msg").unlink()
    with pytest.raises(HdError, match="two/Deep is not installed"):
        message_definition("one/msg/Outer", lambda package: share / package)


def _file(path: Path, sentences: list[str]) -> McapFile:
    pytest.importorskip("mcap", reason="needs the package mcap")
    return McapFile(str(path), lambda name: "int32 value\n", sentences.append)


def _read(path: Path) -> list[tuple[str, str, int, bytes]]:
    from mcap.reader import make_reader

    with path.open("rb") as file:
        return [(channel.topic, schema.name, message.log_time, message.data)
                for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages()]


def test_messages_come_back(tmp_path: Path) -> None:
    sentences: list[str] = []
    file = _file(tmp_path / "run.mcap", sentences)
    assert not (tmp_path / "run.mcap").exists(), "only a whole file has the name"
    rows = [(f"/topic{number % 2}", "pkg/msg/Type", number * 20, bytes([number] * 5)) for number in range(200)]
    for topic, type_name, stamp_ns, data in rows:
        file.add(topic, type_name, data, stamp_ns)
    file.close()
    file.close()
    assert _read(tmp_path / "run.mcap") == rows
    assert not sentences and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_ends_the_recording_with_a_sentence_and_a_whole_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = collections.namedtuple("Usage", "free")
    free = iter([10**9, 10**9, 10**6])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(next(free)))
    sentences: list[str] = []
    file = _file(tmp_path / "run.mcap", sentences)
    for number in range(3000):
        file.add("/topic", "pkg/msg/Type", b"abc", number)
    assert len(sentences) == 1 and "64 MB" in sentences[0] and "run.mcap" in sentences[0]
    assert len(_read(tmp_path / "run.mcap")) == 1000


def test_a_disk_that_refuses_is_told_and_what_it_took_is_kept(tmp_path: Path) -> None:
    """The system's own limit on the size of files stands for the disk; random bytes cannot be compressed."""
    pytest.importorskip("mcap", reason="needs the package mcap")
    from mcap.records import Message
    from mcap.stream_reader import StreamReader

    sentences: list[str] = []
    file = _file(tmp_path / "run.mcap", sentences)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, before[1]))
    try:
        for number in range(20):
            file.add("/topic", "pkg/msg/Type", os.urandom(300_000), number)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(sentences) == 2 and "ends here" in sentences[0] and "mcap recover" in sentences[1]
    times = []
    with (tmp_path / "run.mcap").open("rb") as stream, contextlib.suppress(Exception):
        for record in StreamReader(stream).records:
            if isinstance(record, Message):
                times.append(record.log_time)
    assert times and times == list(range(len(times)))


@pytest.mark.parametrize(("path", "word"), [("missing/run.mcap", "No such file"), ("folder.mcap", "is a folder")])
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, path: str, word: str) -> None:
    (tmp_path / "folder.mcap").mkdir()
    with pytest.raises(HdError, match=f"record.*{word}"):
        _file(tmp_path / path, [])
