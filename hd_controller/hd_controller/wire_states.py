"""Robot states straight from their bytes: the numbers that the controller uses, without a message object.

Building a `nav_msgs/Odometry` takes rclpy twenty Python objects, and costs more than a whole control step. A robot's
states all have one shape, though: only stamps and numbers change. So the first message of a sender is read by the
middleware's own code, which bytes may change is worked out from it and checked against it, and as long as the other
bytes stay the same, later messages are read in place. Whatever looks different takes the slow way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, JointState

from hd_controller.conversions import ABSENT, NANOSECONDS, imu_reading, joint_reading, odometry_reading
from hd_controller.conversions import CDR_HEADER_SIZE as HEADER_SIZE
from hd_controller.state_readings import BaseReading, ImuReading, JointReading, Reading

LEARNED_AT_FIRST = 20
STAMP = Struct("<iI")
LITTLE_ENDIAN_CDR = b"\x00\x01"
POSE, TWIST, COVARIANCE_6, COVARIANCE_3 = 7, 6, 36, 9
STAMP_NUMBERS = 2
POSE_W_FIRST = (2, 3, 4, 8, 5, 6, 7)
"""Where position and orientation (w, x, y, z) stand among stamp, position and orientation (x, y, z, w)."""


class Shape:
    """Which bytes of a serialised message are fixed and where its numbers lie; built by walking through one message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = HEADER_SIZE
        self._fixed = bytearray(len(data))
        self._fixed[:HEADER_SIZE] = b"\xff" * HEADER_SIZE
        self.numbers: list[tuple[int, int]] = []
        """First byte and length of each float64 block, in order."""

    def stamp(self) -> None:
        """Seconds and nanoseconds: free to change."""
        self._place += STAMP.size

    def count(self) -> int:
        """A length; fixed."""
        self._place += -(self._place - HEADER_SIZE) % 4
        value = int.from_bytes(self._data[self._place : self._place + 4], "little")
        self._hold(4)
        return value

    def string(self) -> None:
        """A string; fixed."""
        self._hold(self.count())

    def doubles(self, count: int) -> None:
        """A block of float64 numbers: free to change."""
        if count:
            self._place += -(self._place - HEADER_SIZE) % 8
        self.numbers.append((self._place if count else 0, count))
        self._place += 8 * count

    def _hold(self, size: int) -> None:
        end = min(self._place + size, len(self._data))
        self._fixed[self._place : end] = b"\xff" * max(0, end - self._place)
        self._place += size

    @property
    def complete(self) -> bool:
        """False when the walk went past the end."""
        return self._place <= len(self._data)

    def mask(self) -> bytes:
        """255 for each fixed byte, up to the last of them."""
        return bytes(self._fixed.rstrip(b"\x00"))

    def unpacker(self, *blocks: int) -> Struct:
        """Reads the stamp and the numbers of some blocks, in their order, from the bytes of a message."""
        text, place = f"<{HEADER_SIZE}xiI", HEADER_SIZE + STAMP.size
        for first, count in (self.numbers[block] for block in blocks if self.numbers[block][1]):
            text += f"{first - place}x{count}d"
            place = first + 8 * count
        return Struct(text)


Read = Callable[[bytes], Reading]


def _joint_state_shape(data: bytes) -> Shape:
    shape = Shape(data)
    shape.stamp()
    shape.string()
    for _ in range(min(shape.count(), len(data))):
        shape.string()
    for _ in range(3):
        shape.doubles(min(shape.count(), len(data)))
    return shape


def _odometry_shape(data: bytes) -> Shape:
    shape = Shape(data)
    shape.stamp()
    shape.string()
    shape.string()
    for count in (POSE, COVARIANCE_6, TWIST, COVARIANCE_6):
        shape.doubles(count)
    return shape


def _imu_shape(data: bytes) -> Shape:
    shape = Shape(data)
    shape.stamp()
    shape.string()
    for count in (4, 1, COVARIANCE_3 - 1, 3, COVARIANCE_3, 3, 1, COVARIANCE_3 - 1):
        shape.doubles(count)
    return shape


def _joint_state_reader(shape: Shape, first: JointReading) -> Read:
    """Names and frame are those of the first message: the fixed bytes say so."""
    frame_id, names, joints = first.frame_id, list(first.names), shape.numbers[0][1]
    unpack, velocities = shape.unpacker(0, 1).unpack_from, STAMP_NUMBERS + joints

    def read(data: bytes) -> Reading:
        values = unpack(data)
        return JointReading(values[0] * NANOSECONDS + values[1], frame_id, names, values[STAMP_NUMBERS:velocities],
                            values[velocities:])
    return read


def _odometry_reader(shape: Shape, first: Reading) -> Read:
    unpack = shape.unpacker(0, 2).unpack_from
    base = itemgetter(*POSE_W_FIRST, *range(STAMP_NUMBERS + POSE, STAMP_NUMBERS + POSE + TWIST))

    def read(data: bytes) -> Reading:
        values = unpack(data)
        return BaseReading(values[0] * NANOSECONDS + values[1], base(values))
    return read


def _imu_reader(shape: Shape, first: Reading) -> Read:
    unpack = shape.unpacker(0, 1, 3, 5, 6).unpack_from

    def read(data: bytes) -> Reading:
        seconds, nanoseconds, x, y, z, w, turn_known, a, b, c, *force, force_known = unpack(data)
        return ImuReading(seconds * NANOSECONDS + nanoseconds, None if turn_known == ABSENT else (w, x, y, z),
                          (a, b, c), None if force_known == ABSENT else tuple(force))
    return read


class _Kind(NamedTuple):
    """How messages of one type are read: from the object, and from the bytes."""

    reading: Callable[[Any], Reading]
    shape: Callable[[bytes], Shape]
    reader: Callable[[Shape, Any], Read]


_KINDS: dict[type, _Kind] = {
    JointState: _Kind(joint_reading, _joint_state_shape, _joint_state_reader),
    Odometry: _Kind(odometry_reading, _odometry_shape, _odometry_reader),
    Imu: _Kind(imu_reading, _imu_shape, _imu_reader)}


class StateReader:
    """Callback of a raw subscription (`raw=True`) that hands on what each message says.

    `callback` gets a reading, valid until the next; `garbled` gets one sentence for bytes that are no message of this
    type.
    """

    def __init__(self, message_type: type, callback: Callable[[Any], None], garbled: Callable[[str], None]) -> None:
        self._type = message_type
        self._callback = callback
        self._garbled = garbled
        self._kind = _KINDS[message_type]
        self._length, self._mask_size = -1, 0
        self._mask = self._fixed = 0
        self._read: Read | None = None
        self.in_place = self.built = 0

    def __call__(self, data: bytes) -> None:
        """Read one serialised message."""
        if len(data) == self._length and self._same_shape(data):
            self.in_place += 1
            self._callback(self._read(data))
        else:
            self._build(data)

    def _same_shape(self, data: bytes) -> bool:
        """Whether only stamp, numbers and padding differ from the message that the shape was learned from."""
        return int.from_bytes(data[: self._mask_size], "little") & self._mask == self._fixed

    def _build(self, data: bytes) -> None:
        """Let the middleware read it."""
        self._forget()
        try:
            reading = self._kind.reading(deserialize_message(data, self._type))
        except Exception as problem:  # whatever the middleware raises for bytes from the network
            self._garbled(f"a {self._type.__name__} message could not be read ({problem})")
            return
        self.built += 1
        if self.built <= max(LEARNED_AT_FIRST, self.in_place):  # else shapes change too often to be worth it
            self._learn(data, reading)
        self._callback(reading)

    def _forget(self) -> None:
        self._length, self._read = -1, None

    def _learn(self, data: bytes, reading: Reading) -> None:
        """Work out the shape of this message; keep it only if it gives what the middleware read."""
        if data[:2] != LITTLE_ENDIAN_CDR or sys.byteorder != "little":
            return
        shape = self._kind.shape(data)
        if not shape.complete:
            return
        read, other = self._kind.reader(shape, reading), _with_other_numbers(data, shape)
        if not (_equal(read(data), reading)
                and _equal(read(other), self._kind.reading(deserialize_message(other, self._type)))):
            return
        mask = shape.mask()
        self._mask_size, self._mask = len(mask), int.from_bytes(mask, "little")
        self._fixed = int.from_bytes(data[: len(mask)], "little") & self._mask
        self._length, self._read = len(data), read


def _with_other_numbers(data: bytes, shape: Shape) -> bytes:
    """The bytes with the numbers 1, 2, 3, ...: no two alike, so that none can stand for another."""
    changed, value = bytearray(data), 0
    for place, count in shape.numbers:
        changed[place : place + 8 * count] = np.arange(value + 1, value + 1 + count, dtype=np.float64).tobytes()
        value += count
    return bytes(changed)


def _equal(one: Reading, other: Reading) -> bool:
    """Whether two readings have the same content, bit by bit."""
    return len(one) == len(other) and all(_bits(a) == _bits(b) for a, b in zip(one, other, strict=True))


def _bits(value: Any) -> Any:
    """Numbers as bytes: NaN equals itself."""
    if value is None or isinstance(value, (int, str)):
        return value
    return list(value) if len(value) and isinstance(value[0], str) else np.asarray(value, dtype=np.float64).tobytes()
