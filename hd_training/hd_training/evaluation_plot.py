"""A figure of an evaluation: the mean return of every robot and policy with its 95 % interval."""

from __future__ import annotations

from pathlib import Path


def plot_evaluation(result: dict, path: Path) -> None:
    """Write a PNG with one row for each robot of what `evaluate` gave, best robot of the last policy on top."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    policies = result["policies"]
    rows = sorted(result["robots"].items(), key=lambda row: row[1][policies[-1]]["return"])
    figure, axes = pyplot.subplots(figsize=(8, 1.5 + 0.22 * len(rows)), layout="constrained")
    for number, policy in enumerate(policies):
        means = [row[policy]["return"] for _, row in rows]
        lows, highs = zip(*(row[policy]["interval"] for _, row in rows), strict=True)
        below = [max(0.0, mean - low) for mean, low in zip(means, lows, strict=True)]
        above = [max(0.0, high - mean) for mean, high in zip(means, highs, strict=True)]
        heights = [place + 0.12 * (number - (len(policies) - 1) / 2) for place in range(len(rows))]
        axes.errorbar(means, heights, xerr=[below, above], fmt="o", markersize=3, linewidth=1, label=policy)
    axes.axvline(result["threshold"], color="grey", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=7)
    axes.set_ylim(-1, len(rows))
    axes.set_xlabel(f"return of {result['steps']} steps: mean of {result['episodes']} episodes and 95 % interval")
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
