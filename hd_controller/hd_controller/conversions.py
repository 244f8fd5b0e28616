"""The only module of this package that knows message fields. All float64 values pass bit by bit."""

from __future__ import annotations

import array
import json
from itertools import pairwise
from struct import Struct

import numpy as np
from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray

from hd_controller.errors import BundleError, HdError
from hd_controller.histogram import UPPER_BOUNDS_S, DurationHistogram
from hd_controller.joint_mapping import JointMapping
from hd_controller.policy_bundle import PolicyBundle, from_parts
from hd_controller.state_readings import BaseReading, ImuReading, JointReading
from hd_controller.step_timing import StepTiming
from hd_msgs import msg as hd_messages
from hd_msgs.msg import JointCommand, Policy

NANOSECONDS = 1_000_000_000
LAST_STAMP_NS = 2**31 * NANOSECONDS - 1
"""Latest time that a command can carry; a garbled state may say more, with nanoseconds beyond a second."""
CDR_HEADER_SIZE = 4
ABSENT = -1.0  # first entry of a covariance whose quantity an IMU does not have
COMMAND_TYPES = ("hd", "joint_state", "float64_array")
MAX_LAYERS = 64


def stamp_to_ns(stamp: Time) -> int:
    """Time message -> nanoseconds."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def set_stamp(stamp: Time, time_ns: int) -> None:
    """Write nanoseconds into an existing time message."""
    stamp.sec, stamp.nanosec = divmod(time_ns, NANOSECONDS)


def doubles(values: array.array) -> np.ndarray:
    """View a float64[] field as numpy array without copying; empty fields allowed."""
    return np.frombuffer(values, dtype=np.float64) if len(values) else np.zeros(0)


def joint_reading(message: JointState) -> JointReading:
    """What a JointState says."""
    return JointReading(stamp_to_ns(message.header.stamp), message.header.frame_id, message.name, message.position,
                        message.velocity)


def odometry_reading(message: Odometry) -> BaseReading:
    """What an Odometry says."""
    place, turn = message.pose.pose.position, message.pose.pose.orientation
    linear, angular = message.twist.twist.linear, message.twist.twist.angular
    return BaseReading(stamp_to_ns(message.header.stamp), (
        place.x, place.y, place.z, turn.w, turn.x, turn.y, turn.z,
        linear.x, linear.y, linear.z, angular.x, angular.y, angular.z))


def imu_reading(message: Imu) -> ImuReading:
    """What an Imu says: its acceleration (with gravity) and its orientation where it has them."""
    turn, angular, force = message.orientation, message.angular_velocity, message.linear_acceleration
    return ImuReading(
        stamp_to_ns(message.header.stamp),
        None if message.orientation_covariance[0] == ABSENT else (turn.w, turn.x, turn.y, turn.z),
        (angular.x, angular.y, angular.z),
        None if message.linear_acceleration_covariance[0] == ABSENT else (force.x, force.y, force.z))


class CommandWriter:
    """Preallocated command of the chosen type for one robot, as the bytes that go onto the wire.

    hd: hd_msgs/JointCommand; joint_state: sensor_msgs/JointState with efforts only; float64_array:
    std_msgs/Float64MultiArray in `joint_order` (it carries neither names nor stamp). Names, directions and order are
    those of the hardware; without `joint_order` the order is the policy's.

    Only stamp and efforts change from command to command, so the message is serialised once: publishing an object would
    let rclpy convert every joint's name each time.
    """

    def __init__(self, command_type: str, robot_id: str, mapping: JointMapping,
                 joint_order: tuple[str, ...] = ()) -> None:
        names = joint_order or mapping.hardware_names
        order = np.array([mapping.hardware_names.index(name) for name in names], dtype=np.intp)
        self._order = None if mapping.is_plain and tuple(names) == tuple(mapping.hardware_names) else order
        self._signs = mapping.signs[order]
        self._efforts = np.zeros(len(names))
        marks = np.arange(1.0, len(names) + 1.0)  # no name holds the bytes of such numbers
        data = serialize_message(_command(command_type, robot_id, list(names), marks.tolist()))
        self._data = bytearray(data)
        byte_order = "<" if data[1] & 1 else ">"
        self._stamp = None if command_type == "float64_array" else Struct(f"{byte_order}iI")
        marks = marks.astype(f"{byte_order}f8")
        self._numbers = np.frombuffer(self._data, marks.dtype, len(names), data.rindex(marks.tobytes()))

    def write(self, stamp_ns: int, efforts: np.ndarray) -> bytes:
        """The serialised message with efforts (J,) [N m] in the policy's order and the stamp of the state they answer.
        """
        if self._order is None:
            self._numbers[:] = efforts
        else:
            efforts.take(self._order, out=self._efforts, mode="clip")
            np.multiply(self._efforts, self._signs, out=self._numbers)
        if self._stamp is not None:
            self._stamp.pack_into(self._data, CDR_HEADER_SIZE, *divmod(min(stamp_ns, LAST_STAMP_NS), NANOSECONDS))
        return bytes(self._data)


def _command(kind: str, robot_id: str, names: list[str],
             efforts: list[float]) -> JointCommand | JointState | Float64MultiArray:
    """A command of one type, with stamp 0."""
    if kind == "float64_array":
        return Float64MultiArray(data=efforts)
    if kind == "hd":
        return JointCommand(robot_id=robot_id, joint_names=names, effort=efforts)
    return JointState(name=names, effort=efforts)


def command_message_type(command_type: str) -> type:
    """Message class of a command type; raises HdError for an unknown one."""
    if command_type not in COMMAND_TYPES:
        raise HdError(f"parameter command_type is '{command_type}'; expected one of {', '.join(COMMAND_TYPES)}")
    return {"hd": JointCommand, "joint_state": JointState, "float64_array": Float64MultiArray}[command_type]


def timing_to_message(timing: StepTiming, stamp: Time) -> hd_messages.ControllerTiming:
    """StepTiming -> hd_msgs/ControllerTiming."""
    message = hd_messages.ControllerTiming(
        control_period_s=timing.control_period_s, period_error=_histogram(timing.period_error),
        step_time=_histogram(timing.step_time), input_age=_histogram(timing.input_age))
    message.header.stamp = stamp
    return message


def _histogram(histogram: DurationHistogram) -> hd_messages.DurationHistogram:
    return hd_messages.DurationHistogram(
        upper_bounds_s=array.array("d", UPPER_BOUNDS_S), counts=array.array("Q", histogram.counts),
        max_s=histogram.max_s)


def policy_to_message(bundle: PolicyBundle) -> Policy:
    """PolicyBundle -> hd_msgs/Policy, lossless."""
    arrays = bundle.arrays()
    weights = np.concatenate([part.ravel() for name, part in arrays.items() if name.startswith(("weights_", "bias_"))])
    header = bundle.header()
    return Policy(
        format_version=header["format_version"], robot_id=bundle.robot_id,
        description_sha256=bundle.description_sha256, morphology_json=header["morphology"],
        joint_names=header["joint_names"], effort_limits=array.array("d", arrays["effort_limits"].tobytes()),
        observation_set=bundle.observation_set, observation_mean=_floats(arrays["observation_mean"]),
        observation_std=_floats(arrays["observation_std"]), observation_clip=header["observation_clip"],
        control_period_s=header["control_period_s"], layer_sizes=array.array("I", bundle.layer_sizes),
        weights=_floats(weights), generator_id=bundle.generator_id, coverage_json=json.dumps(bundle.coverage),
        checksum=bundle.checksum)


def policy_from_message(message: Policy) -> PolicyBundle:
    """hd_msgs/Policy -> checked PolicyBundle; raises HdError when sizes, checksum or content do not fit together."""
    layers = _layers(list(message.layer_sizes), np.array(message.weights, dtype=np.float32))
    arrays = {
        "effort_limits": doubles(message.effort_limits).copy(),
        "observation_mean": np.array(message.observation_mean, dtype=np.float32),
        "observation_std": np.array(message.observation_std, dtype=np.float32),
    }
    for index, (weights, bias) in enumerate(layers):
        arrays |= {f"weights_{index}": weights, f"bias_{index}": bias}
    header = {
        "format_version": message.format_version, "robot_id": message.robot_id,
        "description_sha256": message.description_sha256, "morphology": message.morphology_json,
        "joint_names": list(message.joint_names), "observation_set": message.observation_set,
        "observation_clip": message.observation_clip, "control_period_s": message.control_period_s,
        "generator_id": message.generator_id, "layers": len(layers), "checksum": message.checksum,
    }
    try:
        header["coverage"] = json.loads(message.coverage_json)
    except ValueError as problem:
        raise BundleError(f"the policy's coverage report is not JSON ({problem}); generate the policy again") from None
    except RecursionError:
        raise BundleError("the policy's coverage report is nested too deeply; generate the policy again") from None
    try:
        return from_parts(header, arrays)
    except HdError:
        raise
    except (KeyError, ValueError, TypeError, RecursionError) as problem:
        raise BundleError(f"the policy message lacks or garbles a field ({type(problem).__name__}: {problem}); "
                          "generate the policy again") from None


def _layers(sizes: list[int], weights: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut the flat weights (per layer W (in, out) row-major, then b (out,)) at the layer sizes."""
    expected = sum((before + 1) * after for before, after in pairwise(sizes))
    if not 2 <= len(sizes) <= MAX_LAYERS or expected != len(weights):
        raise BundleError(f"the policy has {len(weights)} weights for layer sizes {sizes[:8]}, which need {expected}; "
                          "generate the policy again")
    layers, start = [], 0
    for before, after in pairwise(sizes):
        end = start + before * after
        layers.append((weights[start:end].reshape(before, after), weights[end:end + after]))
        start = end + after
    return layers


def _floats(values: np.ndarray) -> array.array:
    """numpy -> float32[] field; an array.array is a hundred times faster than a list here."""
    return array.array("f", np.asarray(values, dtype=np.float32).tobytes())
