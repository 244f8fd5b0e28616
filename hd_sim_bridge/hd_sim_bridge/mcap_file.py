"""Serialized ROS messages in one MCAP file, which Foxglove, PlotJuggler and rosbag2 open. Needs no ROS."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from hd_controller.errors import HdError
from hd_sim_bridge import disk_space

ADDS_PER_LOOK = 500


class McapFile:
    """Written beside `path` and put in its place by `close`, so that a file of this name is always whole.

    `definition` returns the text of a message type. `log` gets one sentence when the recording ends before its time;
    what was written until then is kept.
    """

    def __init__(self, path: str, definition: Callable[[str], str], log: Callable[[str], object]) -> None:
        """Raises HdError when the file cannot be written, or the package mcap is missing."""
        self._path = Path(path).expanduser().absolute()
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        self._definition, self._log = definition, log
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._adds = 0
        self._file: BinaryIO | None = None
        try:
            from mcap.writer import Writer
        except ImportError:
            raise HdError(f"parameter record is '{path}', which needs the Python package mcap; install it (pip install "
                          "mcap), or record to a file that ends in .npz") from None
        if self._path.is_dir():
            raise HdError(f"parameter record is '{path}', which is a folder; expected the name of a file to write")
        try:
            self._file = self._part.open("wb")
        except OSError as problem:
            raise HdError(f"parameter record is '{path}', which cannot be written ({problem.strerror}); expected a file"
                          " in a folder that is there and can be written to") from None
        self._writer: Any = Writer(self._file)
        self._writer.start(profile="ros2", library="hd_sim_bridge")

    def add(self, topic: str, type_name: str, data: bytes, stamp_ns: int) -> None:
        """Keep one message (CDR) at a simulated time [ns]; nothing once the recording has ended."""
        if self._file is None:
            return
        try:
            if self._adds % ADDS_PER_LOOK == 0 and disk_space.is_short(self._part.parent):
                self._end(disk_space.SENTENCE)
                return
            channel = self._channels.get(topic)
            if channel is None:
                channel = self._channel(topic, type_name)
            self._writer.add_message(channel, log_time=stamp_ns, publish_time=stamp_ns, data=data, sequence=self._adds)
            self._adds += 1
        except OSError as problem:
            self._end(problem.strerror or str(problem))

    def _channel(self, topic: str, type_name: str) -> int:
        """Announce a topic; one without a definition is kept as bytes, with a sentence."""
        if type_name not in self._schemas:
            try:
                text = self._definition(type_name)
            except HdError as problem:
                self._log(f"{topic} is recorded without its definition: {problem}")
                text = ""
            self._schemas[type_name] = self._writer.register_schema(type_name, "ros2msg", text.encode())
        self._channels[topic] = self._writer.register_channel(topic, "cdr", self._schemas[type_name])
        return self._channels[topic]

    def _end(self, reason: str) -> None:
        """Stop before time and keep what there is."""
        self._log(f"recording to {self._path} ends here: {reason}; what was recorded so far is kept")
        self.close()

    def close(self) -> None:
        """Complete the file and put it in its place; where the disk refuses, what it took is kept."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            self._writer.finish()
            file.flush()
        except OSError as problem:
            self._log(f"the recording {self._path} is not complete ({problem.strerror}); `mcap recover` repairs it")
        try:
            file.close()
        except OSError:
            pass  # said above
        self._part.replace(self._path)
