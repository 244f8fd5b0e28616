"""The only module of this package that knows message fields. All float64 values pass bit by bit."""

from __future__ import annotations

import array
import json
from itertools import pairwise

import numpy as np
from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray

from hd_controller.errors import BundleError, HdError
from hd_controller.histogram import UPPER_BOUNDS_S, DurationHistogram
from hd_controller.joint_mapping import JointMapping
from hd_controller.policy_bundle import PolicyBundle, from_parts
from hd_controller.state_assembly import StateAssembly
from hd_controller.step_timing import StepTiming
from hd_msgs import msg as hd_messages
from hd_msgs.msg import JointCommand, Policy

NANOSECONDS = 1_000_000_000
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


def take_joint_state(message: JointState, robot_id: str, assembly: StateAssembly, now_s: float) -> None:
    """Hand joint positions and velocities to the assembly.

    A simulator that knows which robot it simulates says so in `header.frame_id` (64 hexadecimal digits); the state of
    another robot raises StateError, as do wrong names, wrong lengths and values that are not finite.
    """
    tag = message.header.frame_id
    if len(tag) == 64 and tag != robot_id:
        assembly.refuse_joints(f"joint_states are those of robot {tag[:12]}, the policy is for {robot_id[:12]}")
    assembly.take_joints(stamp_to_ns(message.header.stamp), message.name, doubles(message.position),
                         doubles(message.velocity), now_s)


def take_odometry(message: Odometry, assembly: StateAssembly, now_s: float) -> None:
    """Hand torso pose and twist (twist in the torso frame) to the assembly."""
    position, orientation = message.pose.pose.position, message.pose.pose.orientation
    linear, angular = message.twist.twist.linear, message.twist.twist.angular
    assembly.take_base(stamp_to_ns(message.header.stamp), (
        position.x, position.y, position.z, orientation.w, orientation.x, orientation.y, orientation.z,
        linear.x, linear.y, linear.z, angular.x, angular.y, angular.z), now_s)


def take_imu(message: Imu, assembly: StateAssembly, now_s: float) -> None:
    """Hand an IMU to the assembly, its acceleration (with gravity) where it has one; without orientation: refused."""
    if message.orientation_covariance[0] == -1.0:
        assembly.refuse_base("imu carries no orientation (covariance[0] is -1); an IMU with orientation is needed")
    orientation, angular = message.orientation, message.angular_velocity
    measured = message.linear_acceleration_covariance[0] != -1.0
    acceleration = message.linear_acceleration
    force = (acceleration.x, acceleration.y, acceleration.z) if measured else None
    assembly.take_imu(stamp_to_ns(message.header.stamp), (orientation.w, orientation.x, orientation.y, orientation.z),
                      (angular.x, angular.y, angular.z), now_s, force)


class CommandWriter:
    """Preallocated command message of the chosen type for one robot.

    hd: hd_msgs/JointCommand; joint_state: sensor_msgs/JointState with efforts only; float64_array:
    std_msgs/Float64MultiArray in `joint_order` (it carries neither names nor stamp). Names, directions and order are
    those of the hardware; without `joint_order` the order is the policy's.
    """

    def __init__(self, command_type: str, robot_id: str, mapping: JointMapping,
                 joint_order: tuple[str, ...] = ()) -> None:
        names = joint_order or mapping.hardware_names
        zeros = [0.0] * len(names)
        self._order = np.array([mapping.hardware_names.index(name) for name in names], dtype=np.intp)
        self._signs = None if mapping.is_plain else mapping.signs[self._order]
        self._stamp: Time | None = None
        if command_type == "float64_array":
            self.message: object = Float64MultiArray(data=zeros)
            self._view = doubles(self.message.data)
            return
        if command_type == "hd":
            message = JointCommand(robot_id=robot_id, joint_names=list(names), effort=zeros)
        else:
            message = JointState(name=list(names), effort=zeros)
        self.message = message
        self._view = doubles(message.effort)
        self._stamp = message.header.stamp

    def write(self, stamp_ns: int, efforts: np.ndarray) -> object:
        """Fill the message with efforts (J,) [N m] in the policy's order and the stamp of the state they answer."""
        np.take(efforts, self._order, out=self._view, mode="clip")
        if self._signs is not None:
            np.multiply(self._view, self._signs, out=self._view)
        if self._stamp is not None:
            set_stamp(self._stamp, stamp_ns)
        return self.message


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
