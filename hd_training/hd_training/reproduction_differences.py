"""Arms of an experiment against one of them, robot by robot.

Robots differ in return far more than arms do, and every arm plays the same episodes with the same robots. So the mean
of the differences is known much better than either mean, and its interval says what those of two scores can't. It is
an interval over robots: of other seeds of training it says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hd_controller.errors import HdError
from hd_training.evaluate import bootstrap_interval
from hd_training.reproduction_experiments import SET_TITLES, Arm, Experiment
from hd_training.reproduction_plan import Unit
from hd_training.reproduction_returns import PublishedReturns


@dataclass(frozen=True)
class Difference:
    """One arm less the reference of its series, on one set of robots."""

    group: str
    series: str
    robots: str  # name of the set
    count: int  # robots in it
    mean: float  # of the differences of robots' returns, each over all seeds of its arm
    low: float  # 95 % interval over robots
    high: float
    better: float  # share of robots on which the arm has the higher return

    @property
    def text(self) -> str:
        """Mean with its sign, and interval."""
        return f"{self.mean:+.0f} [{self.low:+.0f}, {self.high:+.0f}]"


def differences(experiment: Experiment, units: list[Unit], published: PublishedReturns) -> list[Difference]:
    """All that can be told, arm by arm, set by set: a series without the reference, or a set without the arm, has none.

    Raises:
        HdError: two arms were not evaluated on the same robots.
    """
    found = []
    for arm in (arm for arm in experiment.arms if arm.group != experiment.reference):
        for robots in experiment.sets:
            own = _returns(units, arm.group, arm.series, robots, published)
            others = _returns(units, experiment.reference, arm.series, robots, published)
            if own and others:
                found.append(_difference(arm, robots, own, others))
    return found


def _returns(
    units: list[Unit], group: str, series: str, robots: str, published: PublishedReturns
) -> dict[str, float]:
    """Mean return over seeds by body id; empty where the arm was not evaluated."""
    steps = [unit.step for unit in units
             if (unit.arm.group, unit.arm.series, unit.robots) == (group, series, robots)]  # fmt: skip
    if not steps:
        return {}
    means = np.mean([published.means(step) for step in steps], axis=0)
    return dict(zip(published.bodies(steps[0]), means.tolist(), strict=True))


def _difference(arm: Arm, robots: str, own: dict[str, float], others: dict[str, float]) -> Difference:
    if own.keys() != others.keys():
        raise HdError(f"'{arm.group}' and the arm it is compared with have returns of different {SET_TITLES[robots]}; "
                      "remove the published returns of one of them to make them anew")  # fmt: skip
    values = np.array([value - others[body] for body, value in own.items()])
    low, high = bootstrap_interval(values)
    better = float((values > 0).mean())
    return Difference(arm.group, arm.series, robots, len(values), float(values.mean()), low, high, better)


def difference_table(experiment: Experiment, found: list[Difference]) -> str:
    """Markdown: a row for each arm that is compared, a column for each set."""
    heads = " | ".join(f"{SET_TITLES[name]} | better on" for name in experiment.sets)
    lines = [f"| against {experiment.reference} | {heads} |", "|---" * (1 + 2 * len(experiment.sets)) + "|"]
    for arm in experiment.arms:
        row = {item.robots: item for item in found if (item.group, item.series) == (arm.group, arm.series)}
        if row:
            cells = " | ".join(_cells(row.get(robots)) for robots in experiment.sets)
            lines.append(f"| {arm.name} | {cells} |")
    return "\n".join(lines)


def _cells(item: Difference | None) -> str:
    return "– | –" if item is None else f"{item.text} | {100 * item.better:.0f} %"
