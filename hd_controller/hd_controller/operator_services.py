"""What an operator can ask of the controller: stop, reset, enable; topic and services around the modes."""

from __future__ import annotations

import time
from typing import Protocol

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from hd_controller import qos
from hd_controller.controller import Controller
from hd_controller.controller_modes import Mode

SHORTEST_CHECK_S = 0.01


class Commanded(Protocol):
    """What the node does when the operator has spoken."""

    @property
    def active(self) -> bool:
        """True in the lifecycle state active."""

    @property
    def obstacle(self) -> str:
        """Why the robot must not run, beside what the modes know; empty when nothing stands in the way."""

    def stop_now(self, source: str) -> None:
        """Latch the emergency stop and answer it at once."""

    def changed(self) -> None:
        """Tell the operator what is new."""


class OperatorServices:
    """Subscribes to `e_stop` and offers ~/enable, ~/e_stop_trigger and ~/e_stop_reset.

    With a heartbeat, `e_stop` must be heard (`false` when all is well) before ~/enable is granted, and in time while
    the policy runs: silence then latches the stop.
    """

    def __init__(self, node: LifecycleNode, controller: Controller, robot: Commanded) -> None:
        self._controller = controller
        self._robot = robot
        self._heard_s: float | None = None
        self._heartbeat_s = controller.settings.guards.e_stop_heartbeat
        quiet = SubscriptionEventCallbacks(use_default_callbacks=False)  # a publisher suits one of the three, not all
        for profile in (qos.volatile(True), qos.volatile(False), qos.latched()):
            node.create_subscription(Bool, "e_stop", self._e_stop, profile, event_callbacks=quiet)
        node.create_service(SetBool, "~/enable", self._enable)
        node.create_service(Trigger, "~/e_stop_trigger", self._e_stop_trigger)
        node.create_service(Trigger, "~/e_stop_reset", self._e_stop_reset)
        if self._heartbeat_s:
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            period_s = max(SHORTEST_CHECK_S, self._heartbeat_s / 4)
            self._timer = node.create_timer(period_s, self._check_heartbeat, clock=steady)

    def _e_stop(self, message: Bool) -> None:
        """`true` latches, `false` never releases."""
        self._heard_s = time.monotonic()
        if message.data:
            self._robot.stop_now("topic e_stop")

    def _silent(self) -> bool:
        """True when a heartbeat is asked for and missing."""
        heard_s = self._heard_s
        return self._heartbeat_s > 0 and (heard_s is None or time.monotonic() - heard_s > self._heartbeat_s)

    def _check_heartbeat(self) -> None:
        """A policy that acts needs its heartbeat."""
        if self._robot.active and self._silent() and self._controller.modes.mode is Mode.RUN:
            self._robot.stop_now(f"silence on topic e_stop for {self._heartbeat_s:g} s")

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """~/enable"""
        if request.data and not self._robot.active:
            response.success, response.message = False, "the controller is not active"
        elif request.data and self._silent():
            response.success, response.message = False, "no heartbeat on topic e_stop; publish `false` there regularly"
        elif request.data and self._robot.obstacle:
            response.success, response.message = False, self._robot.obstacle
        else:
            response.success, response.message = self._controller.enable(request.data, time.monotonic())
            self._robot.changed()
        return response

    def _e_stop_trigger(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """~/e_stop_trigger"""
        self._robot.stop_now("service e_stop_trigger")
        response.success, response.message = True, self._controller.modes.message
        return response

    def _e_stop_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """~/e_stop_reset"""
        response.success, response.message = self._controller.modes.e_stop_reset()
        self._robot.changed()
        return response
