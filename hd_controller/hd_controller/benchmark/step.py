"""The controller node's step inside one process: from the callback of the last state to the returned publish call."""

from __future__ import annotations

import gc
import os
import time

import rclpy
from rclpy.serialization import serialize_message
from rclpy.signals import SignalHandlerOptions

from hd_controller import memory, real_time
from hd_controller.benchmark.processes import PROBE, Program, own_domain, sleep_until
from hd_controller.benchmark.report import Row, not_measured, quantiles
from hd_controller.benchmark.robot_driver import state_messages, swing
from hd_controller.controller import prepare_policy
from hd_controller.controller_modes import Mode
from hd_controller.controller_node import ControllerNode
from hd_controller.errors import HdError
from hd_controller.policy_bundle import PolicyBundle

GROUP = "step"
P50_AT_MOST_MS, P99_AT_MOST_MS = 0.3, 1.0
WARM_UP_STEPS, COLLECTIONS = 20, 5
AWAKE = "p50, cores kept awake"


def rows(policy: PolicyBundle, seconds: float, rate_hz: float) -> list[Row]:
    """Step time of a running policy at a rate, and how late the loop that paced the steps was woken."""
    domain = own_domain()
    os.environ |= {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    rclpy.init(args=["--ros-args", "-p", "allow_out_of_distribution:=true", "--log-level", "error"],
               signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = ControllerNode()
        collections = _collection_rows()
        # A listener in another process, so that publishing is real.
        with Program(PROBE, ["--listen"], domain):
            _start(node, policy)
            steps_ms, late_ms = _paced_steps(node, policy, seconds, rate_hz)
            awake = _awake_row(node, policy, seconds, rate_hz)
        node.stop()
        node.destroy_node()
    finally:
        rclpy.try_shutdown()
    how = (f"{len(steps_ms)} steps at {rate_hz:g} Hz, {len(policy.morphology.limbs)} limbs, "
           f"layers {'-'.join(map(str, policy.layer_sizes))}; callback entered to publish returned")
    step, late = quantiles(steps_ms), quantiles(late_ms)
    return [
        Row(GROUP, "p50", step["p50"], "ms", how, at_most=P50_AT_MOST_MS),
        Row(GROUP, "p99", step["p99"], "ms", how, at_most=P99_AT_MOST_MS),
        Row(GROUP, "max", step["max"], "ms", how),
        Row(GROUP, "sleep loop beside it, p99", late["p99"], "ms", "how late the loop that paced these steps woke up"),
        Row(GROUP, "sleep loop beside it, max", late["max"], "ms", "how late the loop that paced these steps woke up"),
        awake,
        *collections,
    ]


def _awake_row(node: ControllerNode, policy: PolicyBundle, seconds: float, rate_hz: float) -> Row:
    """The same steps with the controller's parameter `cpu_dma_latency` at 0."""
    wish = real_time.limit_wake_up(0)
    if wish.handle is None:
        return not_measured(GROUP, AWAKE, "ms", wish.sentence)
    try:
        steps_ms, _ = _paced_steps(node, policy, seconds, rate_hz)
    finally:
        os.close(wish.handle)
    return Row(GROUP, AWAKE, quantiles(steps_ms)["p50"], "ms", "the same again with cpu_dma_latency 0")


def _collection_rows() -> list[Row]:
    """What a full garbage collection takes before and after the program's objects are kept out of it."""
    gc.unfreeze()
    how = (f"median of {COLLECTIONS} calls of gc.collect() in this process of {len(gc.get_objects())} objects; a "
           "controller has about 55000")
    before_ms = quantiles([_collection_ms() for _ in range(COLLECTIONS)])["p50"]
    began_s = time.perf_counter()
    memory.settle()
    settled_ms = 1e3 * (time.perf_counter() - began_s)
    after_ms = quantiles([_collection_ms() for _ in range(COLLECTIONS)])["p50"]
    return [Row(GROUP, "full garbage collection, all objects", before_ms, "ms", how),
            Row(GROUP, "full garbage collection, program kept out", after_ms, "ms", how),
            Row(GROUP, "keeping the program out", settled_ms, "ms", "once, when a policy is taken in standby")]


def _collection_ms() -> float:
    began_s = time.perf_counter()
    gc.collect()
    return 1e3 * (time.perf_counter() - began_s)


def _start(node: ControllerNode, policy: PolicyBundle) -> None:
    """Let the node run the policy as soon as states come."""
    node.start(lambda function: function())
    node._modes.description(policy.description_sha256)
    node._ready(prepare_policy(policy, node._settings))
    memory.settle()


def _paced_steps(node: ControllerNode, policy: PolicyBundle, seconds: float,
                 rate_hz: float) -> tuple[list[float], list[float]]:
    """Milliseconds of each step and of each late wake-up."""
    joints, odometry = state_messages(policy)
    callbacks = {subscription.topic_name: subscription.callback for subscription in node.subscriptions}
    take_joints, take_odometry = callbacks["/joint_states"], callbacks["/odom"]
    steps_ms, late_ms = [], []
    deadline_s = time.monotonic()
    for count in range(WARM_UP_STEPS + int(seconds * rate_hz)):
        deadline_s = max(deadline_s + 1.0 / rate_hz, time.monotonic())  # a late step delays the next, no burst
        sleep_until(deadline_s)
        late_ms.append(1e3 * (time.monotonic() - deadline_s))
        swing(joints, odometry, count / rate_hz, node.get_clock().now().nanoseconds)
        joint_bytes, odometry_bytes = serialize_message(joints), serialize_message(odometry)
        take_joints(joint_bytes)
        began_s = time.monotonic()
        take_odometry(odometry_bytes)
        # What the node does once its command has left is not part of the answer's time.
        steps_ms.append(1e3 * (node._reports.timing.last_ended_s - began_s))
    if node._modes.mode is not Mode.RUN:
        raise HdError(f"the policy did not run: {node._modes.message}")
    return steps_ms[WARM_UP_STEPS:], late_ms[WARM_UP_STEPS:]
