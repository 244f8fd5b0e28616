"""One robot's part of the page: what it does, in words and curves, and what can be asked of it. Needs no ROS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import viser

from hd_sim_bridge.web_viewer.html_blocks import answer_block, list_block, status_block, words_block
from hd_sim_bridge.web_viewer.plots import Plots
from hd_sim_bridge.web_viewer.words import Words, answer_words

PUSHES = {"forward": (1.0, 0.0, 0.0), "back": (-1.0, 0.0, 0.0), "left": (0.0, 1.0, 0.0), "right": (0.0, -1.0, 0.0),
          "up": (0.0, 0.0, 1.0)}
"""Directions in the world."""
TORSO = "(torso)"
PLACEHOLDER = "<i></i>"


class Wishes(Protocol):
    """What the operator can ask for; called in threads of the page's server."""

    def stop(self) -> None:
        """Emergency stop of this robot."""

    def reset_stop(self) -> None:
        """Release the emergency stop."""

    def enable(self, wanted: bool) -> None:
        """Let the policy act, or not."""

    def use_robot(self, name: str) -> None:
        """Take a shipped robot."""

    def use_file(self, name: str, content: bytes) -> None:
        """Take the robot of an uploaded file."""

    def pause(self, wanted: bool) -> None:
        """Stop time, or let it go on."""

    def step(self, steps: int) -> None:
        """Control periods while paused."""

    def reset(self) -> None:
        """Spawn the robot again."""

    def push(self, limb: str, direction: tuple[float, float, float], weights: float) -> None:
        """Push a limb, or the torso where empty, with so many times the robot's weight."""


class RobotPanel:
    """The elements of one robot; made inside the tab that they belong to."""

    def __init__(self, gui: viser.GuiApi, wishes: Wishes, shipped: Sequence[str]) -> None:
        self._gui = gui
        self._status = gui.add_html(PLACEHOLDER)
        self._buttons(wishes)
        self._answer = gui.add_html(PLACEHOLDER)
        with gui.add_folder("Robot"):
            self._coverage = gui.add_html(PLACEHOLDER)
            self._choice(wishes, shipped)
        self._simulation = gui.add_folder("Simulation", visible=False)
        with self._simulation:
            self._simulation_buttons(wishes)
            self._push_controls(wishes)
        with gui.add_folder("Curves of the last 20 s"):
            self.plots = Plots(gui)
        with gui.add_folder("Diagnostics", expand_by_default=False):
            self._diagnostics = gui.add_html(PLACEHOLDER)

    def _buttons(self, wishes: Wishes) -> None:
        """What every robot has, simulated or not."""
        self.own_stop = self._gui.add_button("STOP THIS ROBOT", color="red", visible=False)
        self.own_stop.on_click(lambda _: wishes.stop())
        group = self._gui.add_button_group("Policy", ("Enable", "Disable"))
        group.on_click(lambda event: wishes.enable(event.target.value == "Enable"))
        release = self._gui.add_button("Reset emergency stop", color="gray")
        release.on_click(lambda _: wishes.reset_stop())

    def _choice(self, wishes: Wishes, shipped: Sequence[str]) -> None:
        """Another robot."""
        self._swaps: list[Any] = []
        if shipped:
            names = self._gui.add_dropdown("Shipped", tuple(shipped))
            use = self._gui.add_button("Use this robot")
            use.on_click(lambda _: wishes.use_robot(names.value))
            self._swaps += [names, use]
        upload = self._gui.add_upload_button("Upload a URDF", mime_type=".urdf,.xml,text/xml,application/xml")
        upload.on_upload(lambda event: wishes.use_file(event.target.value.name, event.target.value.content))
        self._swaps.append(upload)

    def _simulation_buttons(self, wishes: Wishes) -> None:
        """Time, and the robot's place."""
        time_group = self._gui.add_button_group("Time", ("Pause", "Go on"))
        time_group.on_click(lambda event: wishes.pause(event.target.value == "Pause"))
        step_group = self._gui.add_button_group("Step", ("1 step", "10 steps"))
        step_group.on_click(lambda event: wishes.step(int(event.target.value.split()[0])))
        self._gui.add_button("Reset the robot").on_click(lambda _: wishes.reset())

    def _push_controls(self, wishes: Wishes) -> None:
        """A push of a tenth of a second."""
        self._limb = self._gui.add_dropdown("Push", (TORSO,))
        weights = self._gui.add_slider("Force / weight", min=0.2, max=5.0, step=0.1, initial_value=1.0)
        group = self._gui.add_button_group("Toward", tuple(PUSHES))

        @group.on_click
        def _(event: viser.GuiEvent) -> None:
            limb = "" if self._limb.value == TORSO else self._limb.value
            wishes.push(limb, PUSHES[event.target.value], float(weights.value))

    def set_limbs(self, names: Sequence[str]) -> None:
        """The limbs that can be pushed."""
        self._limb.options = (TORSO, *names)

    def set_abilities(self, simulated: bool, swappable: bool) -> None:
        """Show only what somebody answers to."""
        _set(self._simulation, "visible", simulated)
        for element in self._swaps:
            _set(element, "disabled", not swappable)

    def set_status(self, words: Words, robot: str, heard: str) -> None:
        """What the controller does."""
        self._write(self._status, status_block(words, robot, heard))

    def set_coverage(self, words: Words) -> None:
        """How far the robot lies inside the trained range."""
        self._write(self._coverage, words_block(words))

    def set_diagnostics(self, entries: list[Words]) -> None:
        """What the nodes say."""
        self._write(self._diagnostics, list_block(entries))

    def answer(self, good: bool, sentence: str) -> None:
        """The answer to the last wish."""
        self._write(self._answer, answer_block(answer_words(sentence), good))

    def _write(self, element: Any, content: str) -> None:
        """Send an element's content where it has changed."""
        if element.content != content:
            element.content = content




def _set(element: Any, name: str, value: bool) -> None:
    """Change a property only where it differs: each change goes to all browsers."""
    if getattr(element, name) != value:
        setattr(element, name, value)


