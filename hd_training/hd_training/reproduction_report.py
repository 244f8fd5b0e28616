"""Results of an experiment: scores per arm and seed, as a table, as CSV and as JSON with where they come from.

A score is the mean over robots of each robot's mean return. Mean and standard error are over seeds; the interval is a
bootstrap over robots of their returns' mean over seeds.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hd_training.evaluate import THRESHOLD, bootstrap_interval
from hd_training.reproduction_differences import Difference
from hd_training.reproduction_experiments import SET_TITLES, Experiment
from hd_training.reproduction_plan import Unit
from hd_training.reproduction_returns import PublishedReturns

COLUMNS = ("group", "series", "robots", "count", "seeds", "mean", "standard_error", "low", "high", "above_threshold")


@dataclass(frozen=True)
class Score:
    """One arm on one set of robots."""

    group: str
    series: str
    robots: str  # name of the set
    count: int  # robots in it
    seeds: int
    mean: float
    standard_error: float | None  # over seeds; None for one seed
    low: float  # 95 % interval over robots
    high: float
    above_threshold: float  # share of robots whose mean return is above 300

    @property
    def text(self) -> str:
        """Mean, standard error over seeds and interval over robots."""
        error = "" if self.standard_error is None else f" ± {self.standard_error:.0f}"
        return f"{self.mean:.0f}{error} [{self.low:.0f}, {self.high:.0f}]"


def score(units: list[Unit], published: PublishedReturns) -> Score:
    """The score of one arm's units, one for each seed, on one set."""
    returns = np.stack([published.means(unit.step) for unit in units])
    seeds, robots = returns.shape
    per_seed, per_robot = returns.mean(axis=1), returns.mean(axis=0)
    error = float(per_seed.std(ddof=1) / seeds**0.5) if seeds > 1 else None
    low, high = bootstrap_interval(per_robot)
    arm, share = units[0].arm, float((per_robot > THRESHOLD).mean())
    return Score(arm.group, arm.series, units[0].robots, robots, seeds, float(per_seed.mean()), error, low, high, share)


def scores(experiment: Experiment, units: list[Unit], published: PublishedReturns) -> list[Score]:
    """All scores of an experiment, arm by arm, set by set; an arm that cannot act on a set has none there."""
    cells = [(arm, robots) for arm in experiment.arms for robots in experiment.sets]
    chosen = [[unit for unit in units if (unit.arm, unit.robots) == cell] for cell in cells]
    return [score(own, published) for own in chosen if own]


def table(experiment: Experiment, found: list[Score]) -> str:
    """Markdown: a row for each arm, a column for each set."""
    titles = [SET_TITLES[name] for name in experiment.sets]
    sizes = {item.robots: item.count for item in found}
    heads = [f"{title} ({sizes[name]})" for title, name in zip(titles, experiment.sets, strict=True)]
    lines = ["| arm | seeds | " + " | ".join(f"{head} | above 300" for head in heads) + " |"]
    lines.append("|---" * (2 + 2 * len(heads)) + "|")
    for arm in experiment.arms:
        row = {item.robots: item for item in found if (item.group, item.series) == (arm.group, arm.series)}
        cells = " | ".join(_cells(row.get(robots)) for robots in experiment.sets)
        lines.append(f"| {arm.name} | {next(iter(row.values())).seeds} | {cells} |")
    return "\n".join(lines)


def _cells(item: Score | None) -> str:
    return "– | –" if item is None else f"{item.text} | {100 * item.above_threshold:.0f} %"


def write_csv(found: list[Score], path: Path) -> None:
    """One row for each score; an empty cell where there is no standard error."""
    temporary = path.with_suffix(".csv.part")
    with open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for item in found:
            values = ["" if value is None else value for value in asdict(item).values()]
            writer.writerow([f"{value:.4f}" if isinstance(value, float) else value for value in values])
    temporary.replace(path)


def write_json(
    experiment: Experiment, found: list[Score], compared: list[Difference], units: list[Unit], origin: dict, path: Path
) -> None:
    """Scores, differences, the steps that made them, and where they come from."""
    content = {
        "experiment": experiment.name,
        "figure": experiment.figure,
        "title": experiment.title,
        **origin,
        "scores": [asdict(item) for item in found],
        "reference": experiment.reference,
        "differences": [asdict(item) for item in compared],
        "steps": [unit.step.name for unit in units],
    }
    temporary = path.with_suffix(".json.part")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
