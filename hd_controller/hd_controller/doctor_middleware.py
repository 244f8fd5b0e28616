"""Doctor: whether messages travel between two processes here, and what the robot's own programs publish."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from hd_controller.doctor_findings import MISSING, Finding, good, judged
from hd_controller.policy_bundle import PolicyBundle

AREA = "middleware"
TRIPS, START_S, ANSWER_S, END_S = 200, 15.0, 1.0, 5.0
SLOW_MS = 5.0
LAST_DOMAIN = 232
STATES = {"joint_states": "joint states", "odom": "torso pose", "imu": "torso orientation"}


def middleware(policy: PolicyBundle | None, listen_s: float) -> list[Finding]:
    """Settings, a measured round trip to a second process, and the topics of a running robot."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    from rclpy.utilities import get_rmw_implementation_identifier

    if not _domain_is_usable(os.environ.get("ROS_DOMAIN_ID", "")):
        return [Finding(AREA, MISSING, f"ROS_DOMAIN_ID is '{os.environ['ROS_DOMAIN_ID']}'",
                        f"set it to a whole number from 0 to {LAST_DOMAIN}, or unset it; with others programs end")]
    scope = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET (the default)")
    findings = [good(AREA, f"{get_rmw_implementation_identifier()}, ROS_DOMAIN_ID "
                           f"{os.environ.get('ROS_DOMAIN_ID', '0')}, discovery {scope}"), _security()]
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node(f"doctor_{os.getpid()}")
        findings.append(_round_trip(node))
        findings += _robot_topics(node, policy, listen_s)
        node.destroy_node()
    finally:
        rclpy.try_shutdown()
    return findings


def _domain_is_usable(text: str) -> bool:
    """Whether ROS takes this ROS_DOMAIN_ID; one beyond the last port ends the process inside the middleware."""
    return not text or (text.isascii() and text.isdigit() and int(text) <= LAST_DOMAIN)


def _security() -> Finding:
    enabled = os.environ.get("ROS_SECURITY_ENABLE", "").lower() == "true"
    enforced = os.environ.get("ROS_SECURITY_STRATEGY", "") == "Enforce"
    scope = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    closed = (enabled and enforced) or scope in ("LOCALHOST", "OFF")
    text = f"SROS2 {'enforced' if enabled and enforced else 'on, not enforced' if enabled else 'off'}"
    return judged(AREA, closed, text, "anyone on the network can send a description or commands: see docs/security.md, "
                  "or set ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST")


def _spin_until(node: Any, condition: Callable[[], object], limit_s: float) -> bool:
    import rclpy

    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.05)
    return bool(condition())


@contextmanager
def _ending(child: subprocess.Popen) -> Iterator[None]:
    """The child is asked to end when the block is left, and killed where it has not ended after END_S."""
    try:
        yield
    finally:
        child.terminate()
        try:
            with suppress(subprocess.TimeoutExpired):
                child.wait(END_S)
        finally:
            child.kill()
            child.wait()


def _round_trip(node: Any) -> Finding:
    """Joint states to a process that sends them back."""
    prefix = f"/hd_doctor_{os.getpid()}"
    command = [sys.executable, "-m", "hd_controller.doctor_echo", prefix, str(os.getpid())]
    with _ending(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)):
        times, lost = _trips(node, prefix)
    if not times:
        return Finding(AREA, MISSING, "no message comes back from a second process on this computer",
                       "is multicast on the loopback device allowed, /dev/shm writable, a firewall in between?")
    p50, p99 = np.percentile(times, [50, 99])
    return judged(AREA, not lost and p50 < SLOW_MS,
                  f"round trip to a second process: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {lost} of {TRIPS} lost",
                  "the computer is loaded, or messages take the network instead of shared memory")


def _trips(node: Any, prefix: str) -> tuple[list[float], int]:
    """How long the messages took that came back [ms], and how many did not."""
    from sensor_msgs.msg import JointState

    received: list[float] = []
    publisher = node.create_publisher(JointState, f"{prefix}/out", 1)
    subscription = node.create_subscription(JointState, f"{prefix}/back",
                                            lambda _message: received.append(time.perf_counter()), 1)
    message = JointState(name=[f"joint_{index}" for index in range(12)], position=[0.0] * 12, velocity=[0.0] * 12)
    times, lost = [], 0
    met = _spin_until(node, lambda: publisher.get_subscription_count() and node.count_publishers(f"{prefix}/back"),
                      START_S)
    for _ in range(TRIPS if met else 0):
        received.clear()
        began = time.perf_counter()
        publisher.publish(message)
        if _spin_until(node, lambda: received, ANSWER_S):
            times.append((received[0] - began) * 1e3)
        else:
            lost += 1
        if lost > 3:
            break
    node.destroy_subscription(subscription)
    node.destroy_publisher(publisher)
    return times, lost


def _robot_topics(node: Any, policy: PolicyBundle | None, listen_s: float) -> list[Finding]:
    """Who publishes states and takes commands, how often states come, and whether their joints are the policy's."""
    from sensor_msgs.msg import JointState

    from hd_controller import qos

    arrivals: list[float] = []
    names: list[str] = []

    def arrived(message: JointState) -> None:
        arrivals.append(time.monotonic())
        names[:] = message.name

    subscription = node.create_subscription(JointState, "joint_states", arrived, qos.states(False))
    _spin_until(node, lambda: False, listen_s)
    publishers = {topic: node.count_publishers(topic)
                  for topic in ("robot_description", "policy", "joint_commands", *STATES)}
    takers = node.count_subscribers("joint_commands")
    node.destroy_subscription(subscription)
    if not any(publishers.values()):
        return [good("robot", "no robot is running here (nothing publishes its topics in this domain)")]
    findings = [judged("robot", publishers["robot_description"] == 1,
                       f"{publishers['robot_description']} publishers of robot_description", "expected exactly one"),
                judged("robot", publishers["odom"] + publishers["imu"] > 0,
                       f"{publishers['odom']} publishers of odom, {publishers['imu']} of imu",
                       "the controller needs one of them", MISSING),
                judged("robot", takers > 0, f"{takers} subscribers of joint_commands", "nothing takes the efforts"),
                judged("robot", publishers["joint_commands"] < 2,
                       f"{publishers['joint_commands']} publishers of joint_commands",
                       "a robot obeys all of them: end all controllers but one", MISSING)]
    return [*findings, _state_rate(arrivals, names, policy)]


def _state_rate(arrivals: list[float], names: list[str], policy: PolicyBundle | None) -> Finding:
    if len(arrivals) < 2:
        return Finding("robot", MISSING, f"{len(arrivals)} joint states arrived", "start the drivers of the robot")
    rate_hz = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
    text = f"joint_states at {rate_hz:.0f} Hz, longest gap {max(np.diff(arrivals)) * 1e3:.0f} ms"
    if policy is None:
        return good("robot", text)
    if set(names) != set(policy.joint_names):
        odd = sorted(set(names) ^ set(policy.joint_names))
        return Finding("robot", MISSING, f"{text}; their joints are not those of the policy ({', '.join(odd[:4])} ...)",
                       "is --robot the robot that runs here? joints are matched by name")
    return judged("robot", rate_hz >= 0.95 / policy.control_period_s, text,
                  f"the policy acts at {1 / policy.control_period_s:.0f} Hz: states should come at least as often")
