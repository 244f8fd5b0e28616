"""The curves of one robot's last seconds on the page. Needs no ROS."""

from __future__ import annotations

import viser
from viser import uplot

from hd_sim_bridge.web_viewer.histories import History

SPAN_S = 20.0
CURVES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "speed": ("Speed along +x [m/s]", ("speed",), 200),
    "step_time": ("Control step [ms]", ("median", "99 %"), 40),
    "input_age": ("Age of inputs [ms]", ("median", "99 %"), 40),
    "effort": ("Effort [% of limit]", ("largest", "mean"), 200),
}
"""Name -> title, curves, and rows that are kept."""
COLOURS = ("#2b6cb0", "#dd6b20")
HEIGHT_PX = 120


class Plots:
    """Four plots with the present at their right edge."""

    def __init__(self, gui: viser.GuiApi) -> None:
        self._histories = {name: History(len(curves), rows) for name, (_, curves, rows) in CURVES.items()}
        self._charts = {}
        for name, (title, curves, _) in CURVES.items():
            series = ({}, *({"label": label, "stroke": colour, "width": 1.5}
                            for label, colour in zip(curves, COLOURS, strict=False)))
            self._charts[name] = gui.add_uplot(
                self._histories[name].columns(0.0), tuple(uplot.Series(**entry) for entry in series), title=title,
                height=HEIGHT_PX, scales={"x": uplot.Scale(time=False, auto=False, range=(-SPAN_S, 0.0))},
                legend=uplot.Legend(show=len(curves) > 1))

    def add(self, name: str, time_s: float, *figures: float) -> None:
        """Add a point to each curve of a plot."""
        self._histories[name].add(time_s, *figures)

    def show(self, now_s: float) -> None:
        """Send all plots to the browsers."""
        for name, chart in self._charts.items():
            chart.data = self._histories[name].columns(now_s)
