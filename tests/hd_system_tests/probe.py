"""The test's own ROS node: publishes inputs, remembers outputs."""

import time
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import MessageInfo
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from hd_controller import qos
from hd_msgs.msg import ControllerStatus, JointCommand, Policy

ASK_AGAIN_S = 3.0


def sent_s(info: MessageInfo) -> float:
    """When a message that is received now was sent, on this process's steady clock [s]; the middleware tells."""
    return time.monotonic() - max(0.0, (time.time_ns() - info["source_timestamp"]) * 1e-9)


class Probe:
    """Use as a context manager; nothing is received outside of `spin_until` and `spin_for`.

    `streams` is False for a probe that leaves the robot's states and commands to somebody else.
    """

    def __init__(self, domain: int, streams: bool = True) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node("probe", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.commands: list[JointCommand] = []
        self.command_times: list[float] = []
        """When each command was sent [s, steady], however long it waited to be received here."""
        self.statuses: list[ControllerStatus] = []
        self.policies: list[Policy] = []
        self.joint_states: list[JointState] = []
        self.odometry: list[Odometry] = []
        self.diagnostics: list[tuple[str, int, str]] = []
        self.values: dict[str, dict[str, str]] = {}
        self.description = self.node.create_publisher(String, "robot_description", qos.latched())
        if streams:  # commands first: one that was sent before a status is received before it
            self.node.create_subscription(JointCommand, "joint_commands", self._command, 100)
            self.node.create_subscription(JointState, "joint_states", self.joint_states.append, 100)
            self.node.create_subscription(Odometry, "odom", self.odometry.append, 100)
        self.node.create_subscription(ControllerStatus, "status", self.statuses.append, qos.latched())
        self.node.create_subscription(Policy, "policy", self.policies.append, qos.latched())
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostic, 100)

    def add_node(self, name: str) -> Node:
        """Another node of the test, received for together with this one."""
        node = rclpy.create_node(name, context=self._context)
        self._executor.add_node(node)
        return node

    def __enter__(self) -> "Probe":
        """Use as a context manager."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Leave ROS."""
        self.node.destroy_node()
        self._context.try_shutdown()

    def _command(self, message: JointCommand, info: MessageInfo) -> None:
        self.commands.append(message)
        self.command_times.append(sent_s(info))

    def _diagnostic(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.diagnostics.append((status.name, ord(status.level), status.message))
            self.values[status.name] = {pair.key: pair.value for pair in status.values}

    def spin_until(self, condition: Callable[[], object], deadline_s: float, what: str) -> float:
        """Receive until the condition holds; returns the seconds it took, fails with `what` at the deadline."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > deadline_s:
                raise AssertionError(f"not within {deadline_s:g} s: {what}; last status: {self.mode} "
                                     f"{self.statuses[-1].message if self.statuses else ''}")
            self._executor.spin_once(timeout_sec=0.02)
        return time.monotonic() - began

    def spin_for(self, seconds: float) -> None:
        """Receive for a while: for showing that something does not happen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)

    @property
    def mode(self) -> str:
        """Mode in the newest status."""
        return self.statuses[-1].mode if self.statuses else ""

    def runs(self, robot_id: str) -> bool:
        """True when the newest status says that this robot's policy runs."""
        return bool(self.statuses) and self.mode == "run" and self.statuses[-1].robot_id == robot_id

    def publish_description(self, text: str) -> float:
        """Publish a description; returns the time [s, steady]."""
        self.description.publish(String(data=text))
        return time.monotonic()

    def call(self, service_type: type, name: str, request: Any, deadline_s: float = 10.0) -> Any:
        """Call a service and wait for its answer; asks again when the answer was lost while both sides met."""
        client = self.node.create_client(service_type, name)
        self.spin_until(client.service_is_ready, deadline_s, f"service {name}")
        futures = []

        def answered() -> bool:
            if len(futures) * ASK_AGAIN_S <= time.monotonic() - began:
                futures.append(client.call_async(request))
            return any(future.done() for future in futures)

        began = time.monotonic()
        self.spin_until(answered, deadline_s, f"answer of {name}")
        self.node.destroy_client(client)
        return next(future.result() for future in futures if future.done())

    def troubles(self, node: str) -> list[str]:
        """Error sentences that a node has put into /diagnostics."""
        return [message for name, level, message in self.diagnostics if name.endswith(node) and level == 2]
