"""MuJoCo's own window beside a running simulation, where there is a display."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import mujoco


class NativeViewer:
    """Opens when asked, follows robot swaps, and goes without when there is no display. `log` gets the one line."""

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._handle: Any = None
        self._available = True

    def show(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Show this robot instead of the one before."""
        self.close()
        if not self._available:
            return
        try:
            if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                raise RuntimeError("no DISPLAY or WAYLAND_DISPLAY is set")
            import mujoco.viewer
            self._handle = mujoco.viewer.launch_passive(model, data, show_left_ui=False, show_right_ui=False)
        except Exception as problem:  # any trouble with the window system: go on without
            self._available = False
            self._log(f"no viewer: {problem}; the simulation runs without it")

    def sync(self) -> None:
        """Draw the present state."""
        if self._handle is not None and self._handle.is_running():
            self._handle.sync()

    def close(self) -> None:
        """Close the window."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
