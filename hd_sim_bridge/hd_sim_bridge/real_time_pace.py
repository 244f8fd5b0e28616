"""The pace of a simulation in real time: a timer, the deadlines it missed, and the parameter that changes it."""

from __future__ import annotations

import time
from collections.abc import Callable

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.timer import Timer

from hd_controller.errors import HdError
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_sim_bridge.bridge_parameters import BridgeSettings, changed_factor
from hd_sim_bridge.pacing import Pacer


class RealTimePace(Pacer):
    """Calls `tick` once a control period divided by the real-time factor; in lockstep never.

    `changed` gets every new factor.
    """

    def __init__(self, node: Node, settings: BridgeSettings, tick: Callable[[], None],
                 changed: Callable[[float], None]) -> None:
        super().__init__(CONTROL_PERIOD_S / settings.real_time_factor, time.monotonic())
        self._node = node
        self._lockstep = settings.lockstep
        self._factor = settings.real_time_factor
        self._tick = tick
        self._changed = changed
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to tick, and to listen to changes of the parameter."""
        self._start_timer()
        self._node.add_on_set_parameters_callback(self._parameters_set)

    def _start_timer(self) -> None:
        if not self._lockstep:
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = self._node.create_timer(CONTROL_PERIOD_S / self._factor, self._tick, clock=steady)

    def _parameters_set(self, parameters: list[Parameter]) -> SetParametersResult:
        """Take another factor, or refuse it with a sentence."""
        try:
            factor = changed_factor(parameters, self._lockstep)
        except HdError as problem:
            return SetParametersResult(successful=False, reason=str(problem))
        if factor is not None:
            self._factor = factor
            self.set_period(CONTROL_PERIOD_S / factor, time.monotonic())
            self._node.destroy_timer(self._timer)
            self._start_timer()
            self._changed(factor)
        return SetParametersResult(successful=True)
