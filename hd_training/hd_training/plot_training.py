"""Command `plot_training`: learning curves of runs over steps per robot and over time, as a figure and a CSV file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hd_controller.errors import HdError
from hd_training.learning_curves import Curve, read_curve, read_curves, thinned, write_curves

EXAMPLES = """examples:
  plot_training --runs universal=runs/laptop experts=runs/experts --out curves.png   also writes curves.csv
  plot_training --csv docs/results/teacher.csv --out docs/images/teacher.png         draw stored curves again"""


def plot_curves(curves: list[Curve], path: Path) -> None:
    """Write a PNG: mean (solid) and median (dotted) return over steps per robot and over minutes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, label in zip(panels, ("environment steps per robot", "training time [min]"), strict=True):
        for number, curve in enumerate(curves):
            over = curve.steps_per_robot if axes is panels[0] else curve.minutes
            axes.plot(over, curve.mean, color=f"C{number}", label=curve.name)
            axes.plot(over, curve.median, color=f"C{number}", linestyle=":")
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("return of sampled actions: mean, median (dotted)")
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def named_run(text: str) -> tuple[str, Path]:
    """NAME=FOLDER, or a folder that gives its own name."""
    name, separator, folder = text.partition("=")
    return (name, Path(folder)) if separator else (Path(text).name, Path(text))


def main(argv: list[str] | None = None) -> int:
    """Draw learning curves."""
    parser = argparse.ArgumentParser(
        prog="plot_training", description="Draw the learning curves of training runs.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--runs", type=named_run, nargs="+", metavar="NAME=FOLDER", help="folders of train_teacher, clone_experts or "
        "train_experts",
    )  # fmt: skip
    source.add_argument("--csv", type=Path, metavar="FILE", help="curves that an earlier call stored")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="figure; --runs adds FILE.csv")
    arguments = parser.parse_args(argv)
    try:
        if arguments.csv:
            curves = read_curves(arguments.csv)
        else:
            curves = [thinned(read_curve(name, folder)) for name, folder in arguments.runs]
            write_curves(curves, arguments.out.with_suffix(".csv"))
        plot_curves(curves, arguments.out)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{len(curves)} curves in {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
