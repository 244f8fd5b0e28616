"""The page as a whole: emergency stop, a tab for each robot, and each browser's own view. Needs no ROS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import viser

from hd_sim_bridge.web_viewer import scene
from hd_sim_bridge.web_viewer.html_blocks import BIG_BUTTON, BIG_BUTTON_OF_NARROW_WINDOWS, list_block
from hd_sim_bridge.web_viewer.words import WAITING, Words

STAY = "stay"
STOP_KEY = "X"
"""No key that moves viser's camera, and none that presses the button clicked last. Not heard while a text is typed."""
STOP_ORDER = -1.0
"""First among the panels beside the main one."""
NOBODY = Words(WAITING, "No robot heard", ("Nothing publishes a robot_description or a status here. Is the system "
                                            "running, and in this ROS_DOMAIN_ID and namespace?",))


class Page:
    """What all browsers share, and the views of those that are connected."""

    def __init__(self, server: viser.ViserServer, stop_all: Callable[[], None]) -> None:
        self.server = server
        self._views: dict[int, tuple[scene.FollowingView, Any]] = {}
        self._names: list[str] = []
        scene.prepare(server)
        server.gui.main_panel.dock_right()
        self._stop_controls(stop_all)
        self._nobody = server.gui.add_html(list_block([NOBODY]))
        self._tabs = server.gui.add_tab_group(visible=False)

    def _stop_controls(self, stop_all: Callable[[], None]) -> None:
        """The emergency stop, in sight and at hand however the panels are scrolled or folded."""
        gui = self.server.gui
        window = gui.add_panel(order=STOP_ORDER)
        with window.add_tab(f"Stop all robots: key {STOP_KEY}"):
            _big_button(gui, BIG_BUTTON, stop_all)
        window.float(x=-12, y=12, width=260)
        _big_button(gui, BIG_BUTTON_OF_NARROW_WINDOWS, stop_all)
        command = gui.add_command("Emergency stop of all robots", hotkey=STOP_KEY, icon=viser.Icon.HAND_STOP)
        command.on_trigger(lambda _: stop_all())

    @property
    def watched(self) -> bool:
        """Whether a browser is connected."""
        return bool(self._views)

    def came(self, client: viser.ClientHandle) -> None:
        """A browser has connected."""
        with client.gui.add_folder("View", order=1e6):
            choice = client.gui.add_dropdown("Camera", self._choices())
        self._views[client.client_id] = (scene.FollowingView(client), choice)

    def left(self, client: viser.ClientHandle) -> None:
        """A browser is gone."""
        self._views.pop(client.client_id, None)

    def add_robot(self, name: str) -> Any:
        """A tab for one more robot, to be filled by `with`."""
        self._names.append(name)
        self._nobody.visible = False
        self._tabs.visible = True
        for _, choice in self._views.values():
            choice.options = self._choices()
            if len(self._names) == 1:
                choice.value = self._choices()[0]
        return self._tabs.add_tab(name)

    def follow(self, places: dict[str, Any]) -> None:
        """Move the world under the cameras that follow a robot; places (3,) [m] by name."""
        for view, choice in self._views.values():
            name = choice.value.removeprefix("follow ")
            if name in places:
                view.follow(places[name])

    def _choices(self) -> tuple[str, ...]:
        """What a camera can do."""
        return (*(f"follow {name}" for name in self._names), STAY)


def _big_button(gui: viser.GuiApi, style: str, stop_all: Callable[[], None]) -> None:
    """A button for the emergency stop."""
    gui.add_html(style)
    gui.add_button("EMERGENCY STOP", color="red", icon=viser.Icon.HAND_STOP).on_click(lambda _: stop_all())
