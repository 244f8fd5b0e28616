"""The figure of an experiment: bars with mean and standard error over seeds, a panel for each set of robots."""

from __future__ import annotations

from pathlib import Path

from hd_training.reproduction_experiments import SET_TITLES, Experiment
from hd_training.reproduction_report import Score

WIDTH = 0.8  # of all bars of a group


def plot(experiment: Experiment, scores: list[Score], path: Path) -> None:
    """Write a PNG of the scores; one seed has no error bar."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    groups = list(dict.fromkeys(item.group for item in scores))
    series = list(dict.fromkeys(item.series for item in scores))
    size = (1.5 + 4.5 * len(experiment.sets), 1.6 + 0.36 * len(groups) * max(1.0, 0.7 * len(series)))
    figure, panels = pyplot.subplots(
        1, len(experiment.sets), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for axes, name in zip(panels[0], experiment.sets, strict=True):
        shown = [item for item in scores if item.robots == name]
        for item in shown:
            _bar(axes, item, groups, series)
        axes.set_yticks(range(len(groups)), groups)
        axes.set_xlabel(f"mean return on {shown[0].count} {SET_TITLES[name]}")
        axes.grid(axis="x", alpha=0.3)
    panels[0][0].invert_yaxis()
    if len(series) > 1:
        labels = [pyplot.Rectangle((0, 0), 1, 1, color=f"C{number}") for number in range(len(series))]
        panels[0][0].legend(labels, series, fontsize=8)
    figure.suptitle(f"{experiment.title} ({experiment.figure} of the paper)", fontsize=10)
    temporary = path.with_suffix(".part.png")
    figure.savefig(temporary, dpi=110)
    pyplot.close(figure)
    temporary.replace(path)


def _bar(axes, item: Score, groups: list[str], series: list[str]) -> None:
    """One bar."""
    number, height = series.index(item.series), WIDTH / len(series)
    place = groups.index(item.group) + height * (number - (len(series) - 1) / 2)
    axes.barh(place, item.mean, height * 0.95, xerr=item.standard_error, color=f"C{number}", capsize=3)
