"""Log of a distillation: CSV rows, TensorBoard scalars where it is installed, the progress bar and alarms."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from tqdm import tqdm

from hd_training.distiller import Distiller
from hd_training.presets import DistillConfig
from hd_training.training_log import TENSORBOARD, rows_until, tensorboard_writer

LOG = "student.csv"
RETURNS = "student_returns.csv"


class Alarm:
    """Says once every so many minutes of training that it is time."""

    def __init__(self, minutes: float, seconds: float) -> None:
        """`seconds` of training have passed."""
        self.period_s, self.next_s = 60 * minutes, seconds + 60 * minutes

    def __call__(self, seconds: float) -> bool:
        """Whether the time has come."""
        if seconds < self.next_s:
            return False
        self.next_s = seconds + self.period_s
        return True


class StudentLog:
    """Rows of losses and of returns on training and test robots; a resumed run continues them."""

    def __init__(self, folder: Path, updates: int) -> None:
        self._losses = _Table(folder / LOG, ("update", "seconds", "loss", "rate"), updates)
        self._returns = _Table(folder / RETURNS, ("update", "seconds", "train", "test"), updates)
        self._board = tensorboard_writer(folder / TENSORBOARD / "student", updates)

    def write(self, distiller: Distiller) -> dict:
        """Add a row of losses; returns what the progress bar shows."""
        rate = distiller.optimizer.param_groups[0]["lr"]
        self._losses.add(distiller.updates, f"{distiller.seconds:.1f}", f"{distiller.mean_loss:.6g}", f"{rate:.4g}")
        if self._board is not None:
            self._board.add_scalar("loss", distiller.mean_loss, distiller.updates)
        return {"loss": f"{distiller.mean_loss:.4f}", "updates": distiller.updates}

    def write_returns(self, distiller: Distiller, returns: dict[str, float]) -> None:
        """Add a row of mean returns on the sets `train` and `test`."""
        cells = [f"{returns[name]:.2f}" for name in ("train", "test")]
        self._returns.add(distiller.updates, f"{distiller.seconds:.1f}", *cells)
        for name, value in returns.items() if self._board is not None else ():
            self._board.add_scalar(f"return_{name}", value, distiller.updates)

    def __enter__(self) -> StudentLog:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._losses, self._returns, self._board):
            if stream is not None:
                stream.close()


class _Table:
    """A CSV file whose first column is the update."""

    def __init__(self, path: Path, header: tuple[str, ...], updates: int) -> None:
        kept = rows_until(path, updates)
        self._stream = open(path, "w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._stream)
        self._writer.writerows([header, *kept])

    def add(self, *cells: object) -> None:
        """Write a row at once."""
        self._writer.writerow(cells)
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def progress_bar(config: DistillConfig, total: int, distiller: Distiller) -> tqdm:
    """A bar over training time, or over updates where no time is set."""
    if math.isinf(config.minutes):
        return tqdm(total=total, initial=distiller.updates, unit="update", desc="student", mininterval=5)
    done = round(distiller.seconds)
    return tqdm(total=round(config.minutes * 60), initial=done, unit="s", desc="student", mininterval=5)


def advance(bar: tqdm, distiller: Distiller) -> None:
    """Move the bar to where training is."""
    done = distiller.updates if bar.unit == "update" else round(distiller.seconds)
    bar.update(min(done, bar.total) - bar.n)
