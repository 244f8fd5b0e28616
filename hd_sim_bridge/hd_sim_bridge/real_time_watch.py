"""Watches simulated robots from outside: their clocks, what their controllers are doing, and how long steps take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from hd_controller import qos
from hd_controller.errors import HdError
from hd_controller.histogram import quantile_s
from hd_controller.node_runner import SPIN_TIMEOUT_S, make_executor
from hd_msgs.msg import ControllerStatus, ControllerTiming
from hd_sim_bridge.real_time_figures import ClockTrace


class RealTimeWatch:
    """Listens to `NAMESPACE/clock`, `status` and `timing` of each robot; an empty namespace is the plain one."""

    def __init__(self, namespaces: Sequence[str], domain: int) -> None:
        self._context = Context()
        rclpy.init(args=[], context=self._context, domain_id=domain)
        self._node = Node("real_time_watch", context=self._context)
        self._executor = make_executor("events", self._context)
        self._executor.add_node(self._node)
        self.traces = {name: ClockTrace() for name in namespaces}
        self._modes: dict[str, str] = {}
        self._timings: dict[str, ControllerTiming] = {}
        for name in namespaces:
            home = f"/{name}" if name else ""
            for kind, topic, take, quality in (
                    (Clock, "clock", self._clock, 10), (ControllerStatus, "status", self._status, qos.latched()),
                    (ControllerTiming, "timing", self._timing, qos.latched())):
                self._node.create_subscription(kind, f"{home}/{topic}", partial(take, name), quality)

    def close(self) -> None:
        """Leave the topics."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    @property
    def all_run(self) -> bool:
        """Whether every controller is in mode run, and every clock has been heard."""
        return all(self._modes.get(name) == "run" and trace.arrived_s for name, trace in self.traces.items())

    def spin(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Listen until `done` or the timeout; whether it was done."""
        end_s = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() >= end_s:
                return False
            self._executor.spin_once(timeout_sec=min(SPIN_TIMEOUT_S, max(0.0, end_s - time.monotonic())))
        return True

    def step_time_s(self, share: float) -> float:
        """Quantile of the control steps' durations [s], of the slowest controller; raises HdError without any."""
        if not self._timings:
            raise HdError("no controller has told how long its steps take")
        return max(quantile_s(timing.step_time.counts, share, timing.step_time.max_s)
                   for timing in self._timings.values())

    def _clock(self, name: str, message: Clock) -> None:
        self.traces[name].add(time.monotonic(), message.clock.sec + 1e-9 * message.clock.nanosec)

    def _status(self, name: str, message: ControllerStatus) -> None:
        self._modes[name] = message.mode

    def _timing(self, name: str, message: ControllerTiming) -> None:
        self._timings[name] = message


@contextmanager
def watching(namespaces: Sequence[str], domain: int) -> Iterator[RealTimeWatch]:
    """A watch that leaves its topics at the end."""
    watch = RealTimeWatch(namespaces, domain)
    try:
        yield watch
    finally:
        watch.close()
