"""``python -m hd_controller.benchmark.probe_node``: a bare node with the controller's subscriptions.

It is what the controller is compared with, and what executors and triggers are compared on. Bare means: the topics,
types and QoS that the controller has with trigger `state`, the same executor, and nothing that rclpy would not do by
itself: every message is deserialised into its Python object and given to a callback, which forgets it. Prints a JSON
object with the errors of its periods [s] when it is interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time

import rclpy
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String

from hd_controller import qos
from hd_controller.benchmark.processes import sleep_until
from hd_controller.node_runner import SPIN_TIMEOUT_S, make_executor
from hd_controller.signals import StopRequest
from hd_msgs.msg import JointCommand, Policy


class ProbeNode(Node):
    """Receives what the controller receives; does nothing, echoes commands, or ticks."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__("probe_node")
        self._period_s = 1.0 / arguments.rate
        self._ticked_s: float | None = None
        self.errors: list[float] = []
        self._command = JointCommand(joint_names=[f"joint_{k}" for k in range(17)], effort=[0.0] * 17)
        for profile in (qos.volatile(True), qos.volatile(False), qos.latched()):
            self.create_subscription(Bool, "e_stop", self._nothing, profile)
        self.create_subscription(String, "robot_description", self._nothing, qos.latched())
        self.create_subscription(Policy, "policy", self._nothing, qos.latched())
        self.create_subscription(JointState, "joint_states", self._nothing, qos.states(True))
        self.create_subscription(Odometry, "odom", self._answer if arguments.echo else self._nothing, qos.states(True))
        self._commands = self.create_publisher(JointCommand, "joint_commands", qos.commands())
        if arguments.listen:
            self.create_subscription(JointCommand, "joint_commands", self._nothing, qos.commands())
        if arguments.tick == "timer":
            self.create_timer(self._period_s, self.tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        elif arguments.tick == "thread":
            threading.Thread(target=self._tick_forever, daemon=True).start()

    def _nothing(self, message: object) -> None:
        """Take a message and forget it."""

    def _answer(self, message: Odometry) -> None:
        """The same command for every state."""
        self._command.header.stamp = message.header.stamp
        self._commands.publish(self._command)

    def tick(self) -> None:
        """Note how late this one is, and publish."""
        now_s = time.monotonic()
        if self._ticked_s is not None:
            self.errors.append(abs(now_s - self._ticked_s - self._period_s))
        self._ticked_s = now_s
        self._commands.publish(self._command)

    def _tick_forever(self) -> None:
        """A thread of its own that sleeps to absolute times."""
        deadline_s = time.monotonic()
        while True:
            deadline_s += self._period_s
            sleep_until(deadline_s)
            self.tick()


def main(argv: list[str] | None = None) -> int:
    """Spin as the project's nodes do, until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m hd_controller.benchmark.probe_node", description=__doc__)
    parser.add_argument("--executor", default="events", choices=["events", "single"])
    parser.add_argument("--tick", default="none", choices=["none", "timer", "thread"])
    parser.add_argument("--rate", type=float, default=50.0, help="ticks per second")
    parser.add_argument("--echo", action="store_true", help="answer each odom with a command")
    parser.add_argument("--listen", action="store_true", help="receive commands too")
    arguments = parser.parse_args(argv)
    stop = StopRequest().install()
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = ProbeNode(arguments)
    executor = make_executor(arguments.executor)
    executor.add_node(node)
    while not stop.requested:
        executor.spin_once(timeout_sec=SPIN_TIMEOUT_S)
    print(json.dumps({"errors": node.errors}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
