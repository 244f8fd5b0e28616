"""Services to reset, pause and step a simulation."""

from __future__ import annotations

from typing import Protocol

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger


class Steerable(Protocol):
    """What the services act on; each answers with success and a sentence."""

    def reset(self) -> tuple[bool, str]:
        """Spawn the robot again."""

    def set_pause(self, paused: bool) -> tuple[bool, str]:
        """Stop time or let it go on."""

    def step_once(self) -> tuple[bool, str]:
        """One control period while paused."""


class BridgeServices:
    """~/reset, ~/set_pause and ~/step of a node."""

    def __init__(self, node: Node, target: Steerable) -> None:
        self._target = target
        node.create_service(Trigger, "~/reset", self._reset)
        node.create_service(SetBool, "~/set_pause", self._set_pause)
        node.create_service(Trigger, "~/step", self._step)

    def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = self._target.reset()
        return response

    def _set_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success, response.message = self._target.set_pause(request.data)
        return response

    def _step(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = self._target.step_once()
        return response
