"""Messages and the core: every bit of a float64 passes, and policies survive the message."""

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from nav_msgs.msg import Odometry
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray

from hd_controller import conversions
from hd_controller.errors import HdError
from hd_controller.joint_mapping import JointMapping, MappedJoint
from hd_controller.morphology import Hinge, Limb, Morphology
from hd_controller.observation import OBSERVATION_SET, OBSERVATION_SIZE
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shapes import Sphere
from hd_controller.state_assembly import StateAssembly
from hd_msgs.msg import JointCommand

NESTED = '{"a":' * 100_000


@pytest.fixture
def bundle() -> PolicyBundle:
    """A policy with random weights for a body of two limbs."""
    inertia = (0.1, 0.1, 0.1, 0.0, 0.0, 0.0)
    ball = (Sphere((0.0, 0.0, 0.0), 0.1),)
    hinges = (Hinge("hip_x", (1.0, 0.0, 0.0), -1.0, 1.0, 50.0, 9.0),
              Hinge("hip_y", (0.0, 1.0, 0.0), -1.0, 1.0, 70.0, 9.0))
    body = Morphology("pair", (Limb("torso", -1, (0.0, 0.0, 0.0), 1.0, (0.0, 0.0, 0.0), inertia, ball, ()),
                               Limb("leg", 0, (0.2, 0.0, 0.0), 1.0, (0.0, 0.0, -0.2), inertia, ball, hinges)))
    random = np.random.default_rng(0)
    sizes = [2 * OBSERVATION_SIZE, 8, 8, 4]
    layers = [(random.normal(size=(before, after)).astype(np.float32), random.normal(size=after).astype(np.float32))
              for before, after in pairwise(sizes)]
    return PolicyBundle(
        robot_id=body.robot_id, description_sha256=hashlib.sha256(b"x").hexdigest(), morphology=body,
        joint_names=body.joint_names, effort_limits=body.effort_limits, layers=layers, observation_set=OBSERVATION_SET,
        observation_mean=random.normal(size=OBSERVATION_SIZE).astype(np.float32),
        observation_std=np.ones(OBSERVATION_SIZE, dtype=np.float32), observation_clip=10.0, control_period_s=0.02,
        generator_id="g", coverage={"in_distribution": True, "outside": [], "share_inside": 1 / 3})


def test_policy_survives_the_message(bundle: PolicyBundle) -> None:
    message = conversions.policy_to_message(bundle)
    back = conversions.policy_from_message(message)
    assert back.checksum == bundle.checksum and back.morphology == bundle.morphology
    for (weights, bias), (same_weights, same_bias) in zip(bundle.layers, back.layers, strict=True):
        assert np.array_equal(weights, same_weights) and np.array_equal(bias, same_bias)
    assert json.loads(message.coverage_json) == bundle.coverage


@pytest.mark.parametrize(("field", "value"), [
    ("robot_id", "0" * 64), ("joint_names", ["hip_y", "hip_x"]), ("control_period_s", 0.5), ("observation_clip", 5.0),
    ("layer_sizes", [34, 8, 8]), ("layer_sizes", []), ("weights", []), ("observation_std", [1.0] * 3),
    ("morphology_json", "{}"), ("coverage_json", "nothing"), ("coverage_json", "[]"), ("coverage_json", NESTED),
    ("coverage_json", NESTED[:4500] + "1" + "}" * 900), ("morphology_json", NESTED), ("observation_set", "other"),
    ("effort_limits", [1e9, 1e9]), ("checksum", ""), ("format_version", 0)])
def test_every_changed_field_is_refused(bundle: PolicyBundle, field: str, value: object) -> None:
    message = conversions.policy_to_message(bundle)
    setattr(message, field, value)
    with pytest.raises(HdError):
        conversions.policy_from_message(message)


def test_policy_with_a_nan_and_the_right_checksum_is_refused(bundle: PolicyBundle) -> None:
    weights, bias = bundle.layers[0]
    weights = weights.copy()
    weights[3, 3] = np.nan
    bad = replace(bundle, layers=[(weights, bias), *bundle.layers[1:]])
    with pytest.raises(HdError, match="finite"):
        conversions.policy_from_message(conversions.policy_to_message(bad))


def test_states_pass_bit_by_bit() -> None:
    values = np.random.default_rng(1).normal(size=6) * 1e-3 + 1 / 3
    joints = JointState(name=["b", "a"], position=list(values[:2]), velocity=list(values[2:4]))
    conversions.set_stamp(joints.header.stamp, 123_456_789_012)
    assembly = StateAssembly(["a", "b"])
    conversions.joint_reading(joints).hand_to(assembly, "r", 0.0)
    odometry = Odometry()
    odometry.header.stamp = joints.header.stamp
    odometry.pose.pose.position.x = float(values[4])
    odometry.pose.pose.orientation.w, odometry.pose.pose.orientation.y = 0.8, 0.6
    odometry.twist.twist.linear.y, odometry.twist.twist.angular.z = float(values[5]), float(values[0])
    conversions.odometry_reading(odometry).hand_to(assembly, "r", 0.0)
    state = assembly.state()
    assert state.stamp_ns == 123_456_789_012 and assembly.matched()
    assert state.joint_positions.tolist() == [values[1], values[0]]
    assert state.joint_velocities.tolist() == [values[3], values[2]]
    assert state.position[0] == values[4] and state.linear_velocity[1] == values[5]
    assert state.angular_velocity[2] == values[0] and state.orientation.tolist() == [0.8, 0.0, 0.6, 0.0]


def test_state_of_another_robot_is_refused_though_the_names_agree() -> None:
    joints = JointState(name=["a"], position=[0.0], velocity=[0.0])
    joints.header.frame_id = "1" * 64
    with pytest.raises(HdError, match="robot 111111111111"):
        conversions.joint_reading(joints).hand_to(StateAssembly(["a"]), "2" * 64, 0.0)
    joints.header.frame_id = "base_link"
    conversions.joint_reading(joints).hand_to(StateAssembly(["a"]), "2" * 64, 0.0)


def test_imu_without_orientation_is_refused() -> None:
    imu = Imu()
    imu.orientation.w = 1.0
    assembly = StateAssembly(["a"], base_height=0.7)
    conversions.imu_reading(imu).hand_to(assembly, "r", 0.0)
    imu.orientation_covariance[0] = -1.0
    with pytest.raises(HdError, match="orientation"):
        conversions.imu_reading(imu).hand_to(assembly, "r", 0.0)


def _sent(kind: str, data: bytes) -> Any:
    """The command that a receiver sees."""
    return deserialize_message(data, conversions.command_message_type(kind))


def _efforts(message: Any) -> Any:
    return message.data if isinstance(message, Float64MultiArray) else message.effort


@pytest.mark.parametrize("kind", conversions.COMMAND_TYPES)
@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("joint_1", "b_2", "hip")])
def test_command_bytes_are_those_of_the_message(kind: str, names: tuple[str, ...]) -> None:
    """What the writer fills in is what the middleware makes of a message with these values."""
    writer = conversions.CommandWriter(kind, "robot", JointMapping.identity(names))
    for stamp_ns, seed in ((20_000_000, 1), (5_040_000_000, 2), (0, 3), (2**31 * 10**9 - 1, 4)):
        efforts = np.random.default_rng(seed).normal(size=len(names))
        efforts[0] = -0.0 if seed == 3 else efforts[0]
        if kind == "float64_array":
            message = Float64MultiArray(data=efforts.tolist())
        elif kind == "hd":
            message = JointCommand(robot_id="robot", joint_names=list(names), effort=efforts.tolist())
        else:
            message = JointState(name=list(names), effort=efforts.tolist())
        if kind != "float64_array":
            conversions.set_stamp(message.header.stamp, stamp_ns)
        data = writer.write(stamp_ns, efforts)
        assert isinstance(data, bytes) and _sent(kind, data) == message
        assert len(data) == len(serialize_message(message))
        assert np.asarray(_efforts(_sent(kind, data))).tobytes() == efforts.tobytes()


@pytest.mark.parametrize("kind", conversions.COMMAND_TYPES)
def test_a_stamp_with_more_nanoseconds_than_a_second_has_can_be_answered(kind: str) -> None:
    """A message may say 2^31 - 1 seconds and four seconds more; the control thread must outlive it."""
    joints = JointState()
    joints.header.stamp.sec, joints.header.stamp.nanosec = 2**31 - 1, 2**32 - 1
    writer = conversions.CommandWriter(kind, "r", JointMapping.identity(("a",)))
    message = _sent(kind, writer.write(conversions.joint_reading(joints).stamp_ns, np.array([1.0])))
    assert list(_efforts(message)) == [1.0]
    if kind != "float64_array":
        assert conversions.stamp_to_ns(message.header.stamp) == 2**31 * 10**9 - 1


@pytest.mark.parametrize("kind", conversions.COMMAND_TYPES)
def test_command_in_the_order_and_directions_of_the_hardware(kind: str) -> None:
    mapping = JointMapping((MappedJoint("a", "motor_1"), MappedJoint("b", "motor_2", -1.0, 0.3)))
    writer = conversions.CommandWriter(kind, "r", mapping, ("motor_2", "motor_1"))
    message = _sent(kind, writer.write(0, np.array([1.5, 2.5])))
    assert list(_efforts(message)) == [-2.5, 1.5]
    if kind != "float64_array":
        assert list(message.joint_names if kind == "hd" else message.name) == ["motor_2", "motor_1"]


def test_unknown_command_type_is_refused() -> None:
    with pytest.raises(HdError, match="command_type"):
        conversions.command_message_type("morse")
