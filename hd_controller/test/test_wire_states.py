"""What is read from bytes in place against what the middleware's own message of the same bytes says."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from hypothesis import given, settings
from hypothesis import strategies as some
from nav_msgs.msg import Odometry
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Imu, JointState

from hd_controller.conversions import imu_reading, joint_reading, odometry_reading
from hd_controller.wire_states import LEARNED_AT_FIRST, StateReader

READINGS = {JointState: joint_reading, Odometry: odometry_reading, Imu: imu_reading}


def _content(reading: Any) -> list[Any]:
    """Every field, with numbers as bytes: NaN and signs of zero count."""
    return [value if value is None or isinstance(value, (str, int)) or (len(value) and isinstance(value[0], str))
            else np.asarray(value, dtype=np.float64).tobytes() for value in reading]


class Received:
    """Reads messages and compares each with what the middleware makes of the same bytes."""

    def __init__(self, message_type: type) -> None:
        self.type = message_type
        self.count = 0
        self.complaints: list[str] = []
        self.reader = StateReader(message_type, self._take, self.complaints.append)
        self._data = b""

    def _take(self, reading: Any) -> None:
        self.count += 1
        message = deserialize_message(self._data, self.type)
        assert type(reading) is type(READINGS[self.type](message))
        assert _content(reading) == _content(READINGS[self.type](message))

    def __call__(self, data: bytes) -> None:
        self._data = data
        self.reader(data)


def _stamped(message: Any, number: int) -> Any:
    message.header.stamp.sec, message.header.stamp.nanosec = number, 4_000_000_000 - number
    return message


def joint_state(number: int, joints: int = 5, frame: str = "", efforts: bool = True) -> JointState:
    values = np.random.default_rng(number).normal(size=(3, joints)).tolist()
    names = [f"joint_{'x' * (place % 4)}{place}" for place in range(joints)]
    message = JointState(name=names, position=values[0], velocity=values[1], effort=values[2] if efforts else [])
    message.header.frame_id = frame
    return _stamped(message, number)


def odometry(number: int, frame: str = "odom", child: str = "torso") -> Odometry:
    message, random = Odometry(child_frame_id=child), np.random.default_rng(number)
    message.header.frame_id = frame
    for place, names in ((message.pose.pose.position, "xyz"), (message.pose.pose.orientation, "xyzw"),
                         (message.twist.twist.linear, "xyz"), (message.twist.twist.angular, "xyz")):
        for name in names:
            setattr(place, name, float(random.normal()))
    message.pose.covariance[:], message.twist.covariance[:] = random.normal(size=(2, 36))
    return _stamped(message, number)


def imu(number: int, frame: str = "imu") -> Imu:
    message, random = Imu(), np.random.default_rng(number)
    message.header.frame_id = frame
    for part, names in (("orientation", "xyzw"), ("angular_velocity", "xyz"), ("linear_acceleration", "xyz")):
        for name in names:
            setattr(getattr(message, part), name, float(random.normal()))
        getattr(message, f"{part}_covariance")[:] = random.normal(size=9)
    return _stamped(message, number)


@pytest.mark.parametrize("make", [joint_state, odometry, imu])
def test_messages_of_one_shape_are_read_in_place_bit_by_bit(make) -> None:
    received = Received(type(make(0)))
    for number in range(50):
        received(serialize_message(make(number)))
    assert received.count == 50 and received.reader.built == 1 and received.reader.in_place == 49


@pytest.mark.parametrize("frame", ["", "a", "ab", "abc", "abcd", "abcde", "x" * 64])
def test_every_alignment(frame: str) -> None:
    for make in (lambda k: joint_state(k, frame=frame), lambda k: joint_state(k, 0, frame), lambda k: imu(k, frame),
                 lambda k: joint_state(k, 3, frame, efforts=False), lambda k: odometry(k, frame, frame[1:])):
        received = Received(type(make(0)))
        for number in range(4):
            received(serialize_message(make(number)))
        assert (received.reader.built, received.reader.in_place) == (1, 3)


def test_special_numbers_pass() -> None:
    received = Received(JointState)
    for value in (0.0, -0.0, float("nan"), float("inf"), -float("inf"), 5e-324):
        message = joint_state(1)
        message.position[2] = value
        received(serialize_message(message))
    assert received.reader.in_place == 5


@settings(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 6), some.text("ab", max_size=5), some.booleans()), max_size=12))
def test_changing_shapes_are_never_mixed_up(shapes: list[tuple[int, str, bool]]) -> None:
    received = Received(JointState)
    for number, (joints, frame, efforts) in enumerate(shapes):
        received(serialize_message(joint_state(number, joints, frame, efforts)))
    assert received.count == len(shapes) and not received.complaints


def test_same_length_but_another_name_takes_the_slow_way() -> None:
    received = Received(JointState)
    message = joint_state(0)
    received(serialize_message(message))
    message.name = [*message.name[:-1], message.name[-1][:-1] + "9"]
    received(serialize_message(message))
    assert received.reader.built == 2 and received.reader.in_place == 0


def test_padding_does_not_count() -> None:
    received = Received(JointState)
    data = bytearray(serialize_message(joint_state(0, frame="ab")))
    received(bytes(data))
    data[4 + 8 + 4 + 3] ^= 255  # behind the frame's three bytes
    received(bytes(data))
    assert received.reader.in_place == 1


def test_bytes_from_anywhere_are_read_as_the_middleware_reads_them_or_refused() -> None:
    random = np.random.default_rng(0)
    for make in (joint_state, odometry, imu):
        received = Received(type(make(0)))
        good = serialize_message(make(0))
        for number in range(400):
            data = bytearray(serialize_message(make(number)) if number % 2 else good)
            for place in random.integers(0, len(data), random.integers(0, 5)):
                data[place] = random.integers(0, 256)
            if random.random() < 0.2:
                del data[random.integers(0, len(data)):]
            before = received.count
            received(bytes(data))
            assert received.count - before + len(received.complaints) in (0, 1)
            received.complaints.clear()
        received(good)
        assert received.count and not received.complaints


def test_a_sender_that_changes_its_shape_all_the_time_is_not_learned_for_ever() -> None:
    received = Received(JointState)
    for number in range(3 * LEARNED_AT_FIRST):
        received(serialize_message(joint_state(number, joints=1 + number % 2)))
    assert received.count == received.reader.built == 3 * LEARNED_AT_FIRST
    assert received.reader._read is None
