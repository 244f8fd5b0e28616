"""Learning curves of training runs: read from their logs, thinned, put together for sets of experts, stored as CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hd_controller.errors import HdError
from hd_training.training_log import HEADER, LOG

POINTS = 100
"""Points of a stored curve at most."""
COLUMNS = ("run", "steps_per_robot", "minutes", "mean", "median")


@dataclass(frozen=True)
class Curve:
    """Returns of sampled actions in training, the recent episodes' mean per robot, over all robots."""

    name: str
    steps_per_robot: np.ndarray  # (N,) environment steps
    minutes: np.ndarray  # (N,) training time of all robots so far [min]
    mean: np.ndarray  # (N,) over robots
    median: np.ndarray  # (N,)


def read_curve(name: str, folder: Path) -> Curve:
    """The curve of a run, or of a set of experts; HdError where the folder holds no log."""
    if (folder / LOG).exists():
        steps, minutes, returns = _log(folder / LOG)
        return Curve(name, steps / returns.shape[1], minutes, *_over_robots(returns))
    logs = sorted(folder.glob(f"*/{LOG}"))
    if not logs:
        raise HdError(f"{folder} holds no {LOG}; give the folder of a training run or of a set of experts")
    return _experts(name, [_log(path) for path in logs])


def _log(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps (N,), minutes (N,) and returns per robot (N, R) of a log; HdError where it holds no rows."""
    with open(path, newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    if not rows:
        raise HdError(f"{path} holds no iteration yet; train first")
    values = np.array([[float(cell) for cell in row] for row in rows])
    return values[:, HEADER.index("steps")], values[:, HEADER.index("minutes")], values[:, len(HEADER) :]


def _over_robots(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and median (N,) of returns (N, R) over the robots that have finished an episode; NaN where none has."""
    none = np.isnan(returns).all(axis=1)
    filled = np.where(none[:, None], 0.0, returns)
    return np.where(none, np.nan, np.nanmean(filled, axis=1)), np.where(none, np.nan, np.nanmedian(filled, axis=1))


def _experts(name: str, logs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Curve:
    """One curve of many robots' own runs, at the steps that all of them have; minutes are summed."""
    grid = np.linspace(max(log[0][0] for log in logs), min(log[0][-1] for log in logs), POINTS)
    minutes = sum(np.interp(grid, steps, spent) for steps, spent, _ in logs)
    returns = np.stack([_filled(grid, steps, own[:, 0]) for steps, _, own in logs], axis=1)
    return Curve(name, grid, minutes, *_over_robots(returns))


def _filled(grid: np.ndarray, steps: np.ndarray, returns: np.ndarray) -> np.ndarray:
    """Returns at the steps of `grid`; NaN before the first episode's end."""
    known = ~np.isnan(returns)
    if not known.any():
        return np.full(len(grid), np.nan)
    return np.interp(grid, steps[known], returns[known], left=np.nan)


def thinned(curve: Curve) -> Curve:
    """The same curve with at most POINTS points, the last kept."""
    count = len(curve.mean)
    places = np.unique(np.linspace(count - 1, 0, min(POINTS, count)).round().astype(int))
    return Curve(curve.name, *(values[places] for values in list(vars(curve).values())[1:]))


def write_curves(curves: list[Curve], path: Path) -> None:
    """Store curves as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for curve in curves:
            for row in zip(*list(vars(curve).values())[1:], strict=True):
                writer.writerow([curve.name, *(f"{value:.5g}" for value in row)])


def read_curves(path: Path) -> list[Curve]:
    """What :func:`write_curves` stored; HdError where the file is something else."""
    with open(path, newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise HdError(f"{path} holds no learning curves; expected the columns {', '.join(COLUMNS)}")
    table: dict[str, list[list[float]]] = {}
    for name, *cells in rows[1:]:
        table.setdefault(name, []).append([float(cell) for cell in cells])
    return [Curve(name, *np.array(values).T) for name, values in table.items()]
