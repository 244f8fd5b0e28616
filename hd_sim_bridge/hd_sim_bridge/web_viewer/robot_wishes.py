"""From the page's buttons to the services of a robot's nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from std_srvs.srv import SetBool, Trigger

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_msgs.srv import Push, StepSimulation
from hd_sim_bridge.web_viewer.robot_link import Answer, RobotLink
from hd_sim_bridge.web_viewer.uploads import UploadFolder

PUSH_S = 0.1


class RobotWishes:
    """Implements `robot_panel.Wishes`: called in threads of the page's server, carried out in the executor's."""

    def __init__(self, link: RobotLink, post: Callable[[Callable[[], None]], Any], answer: Answer,
                 uploads: UploadFolder) -> None:
        """answer: gets the outcome of each wish."""
        self._link = link
        self._post = post
        self._answer = answer
        self._uploads = uploads
        self.body: Morphology | None = None
        """The robot at hand."""

    def stop(self) -> None:
        """Emergency stop of this robot."""
        self._post(lambda: self._link.stop(self._answer))

    def reset_stop(self) -> None:
        """Release the emergency stop."""
        self._ask("controller_node/e_stop_reset", Trigger.Request())

    def enable(self, wanted: bool) -> None:
        """Let the policy act, or not."""
        self._ask("controller_node/enable", SetBool.Request(data=wanted))

    def use_robot(self, name: str) -> None:
        """Take a shipped robot."""
        self._post(lambda: self._link.set_robot(name, self._answer))

    def use_file(self, name: str, content: bytes) -> None:
        """Take the robot of an uploaded file."""
        try:
            path = str(self._uploads.keep(name, content))
        except HdError as problem:
            self.refuse(str(problem))
            return
        self.use_robot(path)

    def refuse(self, sentence: str) -> None:
        """Say why a wish is not carried out."""
        self._post(lambda: self._answer(False, sentence))

    def pause(self, wanted: bool) -> None:
        """Stop time, or let it go on."""
        self._ask("bridge_node/set_pause", SetBool.Request(data=wanted))

    def step(self, steps: int) -> None:
        """Control periods while paused."""
        self._ask("bridge_node/step_many", StepSimulation.Request(steps=steps))

    def reset(self) -> None:
        """Spawn the robot again."""
        self._ask("bridge_node/reset", Trigger.Request())

    def push(self, limb: str, direction: tuple[float, float, float], weights: float) -> None:
        """Push a limb, or the torso where empty, with so many times the robot's weight."""
        if self.body is None:
            self.refuse("there is no robot to push yet")
            return
        request = Push.Request(limb=limb, duration=PUSH_S)
        newtons = weights * self.body.weight
        force = request.wrench.force
        force.x, force.y, force.z = (newtons * part for part in direction)
        self._ask("bridge_node/push", request)

    def _ask(self, service: str, request: Any) -> None:
        """Call a service from the executor's thread."""
        self._post(lambda: self._link.ask(service, request, self._answer))
