"""One robot on the page: what is heard of it goes to its drawing, its words and its curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hd_controller.background import LatestWorker
from hd_controller.errors import HdError
from hd_controller.urdf_reader import read_urdf
from hd_sim_bridge.web_viewer.drawing import RobotDrawing
from hd_sim_bridge.web_viewer.histories import Increments
from hd_sim_bridge.web_viewer.measured_state import drawable_state, effort_shares, forward_speed
from hd_sim_bridge.web_viewer.robot_link import RobotLink
from hd_sim_bridge.web_viewer.robot_panel import RobotPanel
from hd_sim_bridge.web_viewer.robot_wishes import RobotWishes
from hd_sim_bridge.web_viewer.scene import RobotScene
from hd_sim_bridge.web_viewer.words import coverage_words, diagnostics_words, heard_words, robot_words, status_words

QUANTILES = (0.5, 0.99)
CURVE_PERIOD_S = 0.1


class RobotView:
    """Everything runs in the executor's thread, but for the building of drawings."""

    def __init__(self, name: str, link: RobotLink, panel: RobotPanel, scene: RobotScene, wishes: RobotWishes,
                 post: Callable[[Callable[[], None]], Any]) -> None:
        self.name, self.link, self.panel, self.wishes = name, link, panel, wishes
        self._torso = np.zeros(3)
        self._aside = np.zeros(3)
        self._scene = scene
        self._drawing: RobotDrawing | None = None
        self._limits: dict[str, float] = {}
        self._missing: list[str] = []
        self._increments = {"step_time": Increments(), "input_age": Increments()}
        self._told_timing: Any = None
        self._curve_at_s = 0.0
        self._worker = LatestWorker(_drawing_of, self._built, post)

    @property
    def place(self) -> np.ndarray:
        """(3,) where the torso is drawn [m]."""
        return self._torso + self._aside

    def put_aside(self, sideways_m: float) -> None:
        """Draw a simulated robot that far along +y; a real one stands where it says."""
        if self._simulated and sideways_m != self._aside[1]:
            self._aside = np.array([0.0, sideways_m, 0.0])
            self._scene.put_aside(sideways_m)

    @property
    def _simulated(self) -> bool:
        """Whether a bridge answers."""
        return self.link.offers("bridge_node/set_pause")

    def described(self, text: str) -> None:
        """A description has come."""
        self._worker.submit(text)

    def _built(self, text: str, drawing: RobotDrawing | None, error: Exception | None) -> None:
        """Show the new body; one that is refused leaves what is shown."""
        if drawing is None:
            kind = "" if isinstance(error, HdError) else f"unexpected {type(error).__name__}: "
            self.panel.answer(False, f"The description is refused: {kind}{error}")
            return
        body = drawing.morphology
        if self._drawing is None or self._drawing.morphology != body:
            self._scene.show(drawing)
            self.panel.set_limbs([limb.name for limb in body.limbs[1:]])
        self._drawing = drawing
        self.wishes.body = body
        self._limits = dict(zip(body.joint_names, body.effort_limits, strict=True))

    def draw(self) -> None:
        """One picture, and points of the fast curves."""
        if self._drawing is None:
            return
        odometry = self.link.newest("odom")
        state, self._missing = drawable_state(
            self._drawing.at_rest, self._drawing.morphology.joint_names, self.link.newest("joint_states"), odometry,
            None if odometry is not None else self.link.newest("imu"))
        self._torso = state.position
        self._scene.move(*self._drawing.place(state))
        now_s = time.monotonic()
        if now_s - self._curve_at_s < CURVE_PERIOD_S:
            return
        self._curve_at_s = now_s
        if odometry is not None:
            self.panel.plots.add("speed", now_s, forward_speed(odometry))
        commands = self.link.newest("joint_commands")
        if commands is not None:
            self.panel.plots.add("effort", now_s, *effort_shares(commands, self._limits))

    def tell(self) -> None:
        """Words and curves."""
        link, panel, now_s = self.link, self.panel, time.monotonic()
        link.look_for_answers()
        name = self._drawing.morphology.name if self._drawing is not None else ""
        panel.set_status(status_words(link.status, link.status_age_s), robot_words(name, link.status),
                         heard_words(link.age_s("joint_states"), self._missing if self._drawing is not None else ()))
        panel.set_coverage(coverage_words(link.coverage_json))
        panel.set_diagnostics(diagnostics_words(link.diagnostics))
        panel.set_abilities(simulated=self._simulated,
                            swappable=link.offers("description_node/set_parameters"))
        self._tell_timing(now_s)
        panel.plots.show(now_s)

    def _tell_timing(self, now_s: float) -> None:
        """What the controller's last second was like."""
        timing = self.link.timing
        if timing is None or timing is self._told_timing:
            return
        self._told_timing = timing
        for name, increments in self._increments.items():
            histogram = getattr(timing, name)
            figures = increments.quantiles_ms(histogram.counts, histogram.max_s, QUANTILES)
            if figures is not None:
                self.panel.plots.add(name, now_s, *figures)

    def close(self) -> None:
        """End the thread."""
        self.link.close()
        self._worker.close()


def _drawing_of(text: str) -> RobotDrawing:
    """Worker thread: the body of a description, ready to be drawn; raises HdError."""
    return RobotDrawing(read_urdf(text, notes=[]))
