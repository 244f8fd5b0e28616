"""Robot states straight from their bytes: one message object per topic, refilled instead of built anew.

Building a `nav_msgs/Odometry` takes rclpy twenty Python objects, and costs more than a whole control step. A robot's
states all have one shape, though: only stamps and numbers change. So the first message of a sender is read by the
middleware's own code, which bytes may change is worked out from it and checked against it, and as long as the other
bytes stay the same, later messages are copied into that first object. Whatever looks different takes the slow way.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, JointState

LEARNED_AT_FIRST = 20
STAMP = struct.Struct("<iI")
LITTLE_ENDIAN_CDR = b"\x00\x01"
HEADER_SIZE = 4
ODOMETRY_NUMBERS = (7, 36, 6, 36)
IMU_NUMBERS = (4, 9, 3, 9, 3, 9)


class Shape:
    """Which bytes of a serialised message are fixed and where its numbers lie; built by walking through one message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = HEADER_SIZE
        self._mask = np.zeros(len(data), dtype=np.uint8)
        self._mask[:HEADER_SIZE] = 255
        self.numbers: list[tuple[int, int]] = []
        """First byte and length of each float64 block, in order."""

    def stamp(self) -> None:
        """Seconds and nanoseconds: free to change."""
        self._place += 8

    def count(self) -> int:
        """A length; fixed."""
        self._place += -(self._place - HEADER_SIZE) % 4
        self._mask[self._place : self._place + 4] = 255
        value = int.from_bytes(self._data[self._place : self._place + 4], "little")
        self._place += 4
        return value

    def string(self) -> None:
        """A string; fixed."""
        length = self.count()
        self._mask[self._place : self._place + length] = 255
        self._place += length

    def doubles(self, count: int) -> None:
        """A block of float64 numbers: free to change."""
        if count:
            self._place += -(self._place - HEADER_SIZE) % 8
        self.numbers.append((self._place if count else 0, count))
        self._place += 8 * count

    def finished(self) -> tuple[np.ndarray, bytes] | None:
        """Mask and fixed bytes; None when the walk went past the end."""
        if self._place > len(self._data):
            return None
        return self._mask, (np.frombuffer(self._data, dtype=np.uint8) & self._mask).tobytes()


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
    for count in ODOMETRY_NUMBERS:
        shape.doubles(count)
    return shape


def _imu_shape(data: bytes) -> Shape:
    shape = Shape(data)
    shape.stamp()
    shape.string()
    for count in IMU_NUMBERS:
        shape.doubles(count)
    return shape


def _fill_joint_state(message: JointState, blocks: list[np.ndarray]) -> None:
    for field, values in zip((message.position, message.velocity, message.effort), blocks, strict=True):
        if len(values):
            np.frombuffer(field, dtype=np.float64)[:] = values


def _fill_odometry(message: Odometry, blocks: list[np.ndarray]) -> None:
    pose, twist = message.pose.pose, message.twist.twist
    place, turn = pose.position, pose.orientation
    place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w = blocks[0].tolist()
    message.pose.covariance[:] = blocks[1]
    linear, angular = twist.linear, twist.angular
    linear.x, linear.y, linear.z, angular.x, angular.y, angular.z = blocks[2].tolist()
    message.twist.covariance[:] = blocks[3]


def _fill_imu(message: Imu, blocks: list[np.ndarray]) -> None:
    turn, angular, acceleration = message.orientation, message.angular_velocity, message.linear_acceleration
    turn.x, turn.y, turn.z, turn.w = blocks[0].tolist()
    message.orientation_covariance[:] = blocks[1]
    angular.x, angular.y, angular.z = blocks[2].tolist()
    message.angular_velocity_covariance[:] = blocks[3]
    acceleration.x, acceleration.y, acceleration.z = blocks[4].tolist()
    message.linear_acceleration_covariance[:] = blocks[5]


_KINDS: dict[type, tuple[Callable[[bytes], Shape], Callable[[Any, list[np.ndarray]], None]]] = {
    JointState: (_joint_state_shape, _fill_joint_state), Odometry: (_odometry_shape, _fill_odometry),
    Imu: (_imu_shape, _fill_imu)}


class StateReader:
    """Callback of a raw subscription (`raw=True`) that hands on messages in one object, valid until the next.

    `callback` gets the message; `garbled` gets one sentence for bytes that are no message of this type.
    """

    def __init__(self, message_type: type, callback: Callable[[Any], None], garbled: Callable[[str], None]) -> None:
        self._type = message_type
        self._callback = callback
        self._garbled = garbled
        self._shape_of, self._fill = _KINDS[message_type]
        self._message: Any = None
        self._numbers: list[tuple[int, int]] = []
        self._mask = np.zeros(0, dtype=np.uint8)
        self._fixed: bytes | None = None
        self.refilled = self.built = 0

    def __call__(self, data: bytes) -> None:
        """Read one serialised message."""
        if self._same_shape(data):
            self._refill(self._message, data)
            self.refilled += 1
        else:
            self._fixed = None
            try:
                self._message = deserialize_message(data, self._type)
            except Exception as problem:  # whatever the middleware raises for bytes from the network
                self._garbled(f"a {self._type.__name__} message could not be read ({problem})")
                return
            self.built += 1
            if self.built <= max(LEARNED_AT_FIRST, self.refilled):  # else shapes change too often to be worth it
                self._learn(data)
        self._callback(self._message)

    def _same_shape(self, data: bytes) -> bool:
        """Whether only stamp, numbers and padding differ from the message that the shape was learned from."""
        if self._fixed is None or len(data) != len(self._fixed):
            return False
        return (np.frombuffer(data, dtype=np.uint8) & self._mask).tobytes() == self._fixed

    def _refill(self, message: Any, data: bytes) -> None:
        """Copy stamp and numbers into the message."""
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = STAMP.unpack_from(data, HEADER_SIZE)
        self._fill(message, [np.frombuffer(data, np.float64, count, offset) for offset, count in self._numbers])

    def _learn(self, data: bytes) -> None:
        """Work out the shape of this message; keep it only if refilling reproduces what the middleware read."""
        self._fixed = None
        if data[:2] != LITTLE_ENDIAN_CDR or sys.byteorder != "little":
            return
        shape = self._shape_of(data)
        finished = shape.finished()
        if finished is None:
            return
        self._mask, self._fixed = finished
        self._numbers = shape.numbers
        second = deserialize_message(data, self._type)
        self._refill(second, _with_other_numbers(data, shape))
        self._refill(second, data)
        if not _equal(second, self._message):
            self._fixed = None


def subscribe(node: Node, message_type: type, topic: str, callback: Callable[[Any], None], profile: QoSProfile,
              garbled: Callable[[str], None]) -> None:
    """Subscribe to states; see StateReader."""
    node.create_subscription(message_type, topic, StateReader(message_type, callback, garbled), profile, raw=True)


def _with_other_numbers(data: bytes, shape: Shape) -> bytes:
    """The bytes with every number set to zero."""
    changed = bytearray(data)
    for place, count in shape.numbers:
        changed[place : place + 8 * count] = bytes(8 * count)
    return bytes(changed)


def _equal(one: Any, other: Any) -> bool:
    """Whether two messages have the same content, NaN being equal to itself."""
    if hasattr(one, "get_fields_and_field_types"):
        return all(_equal(getattr(one, name), getattr(other, name)) for name in one.get_fields_and_field_types())
    if isinstance(one, (str, int)):
        return one == other
    if isinstance(one, list):
        return one == other
    return np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True)
