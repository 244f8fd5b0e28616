"""Learning curves from logs: numbers worked by hand, thinning, storing, the command."""

import csv

import numpy as np
import pytest

from hd_controller.errors import HdError
from hd_training import plot_training
from hd_training.learning_curves import POINTS, read_curve, read_curves, thinned
from hd_training.training_log import HEADER, LOG


def write_log(folder, rows):
    """A log of these (steps, minutes, returns...) rows."""
    folder.mkdir(parents=True)
    with open(folder / LOG, "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*HEADER, *(f"robot_{i}" for i in range(len(rows[0]) - 2))])
        for number, (steps, minutes, *returns) in enumerate(rows):
            filler = [0.0] * (len(HEADER) - 3)
            writer.writerow([number + 1, steps, minutes, *filler, *returns])


def test_run_of_three_robots(tmp_path):
    rows = [(300, 1.0, "nan", "nan", "nan"), (600, 2.0, 1.0, 2.0, 9.0), (900, 3.0, 4.0, "nan", 6.0)]
    write_log(tmp_path / "run", rows)
    curve = read_curve("run", tmp_path / "run")
    np.testing.assert_array_equal(curve.steps_per_robot, [100, 200, 300])
    np.testing.assert_array_equal(curve.mean, [np.nan, 4.0, 5.0])
    np.testing.assert_array_equal(curve.median, [np.nan, 2.0, 5.0])


def test_experts_are_joined_at_equal_steps(tmp_path):
    write_log(tmp_path / "set" / "a", [(100, 1.0, 0.0), (300, 3.0, 20.0)])
    write_log(tmp_path / "set" / "b", [(100, 2.0, 10.0), (200, 4.0, 50.0), (300, 6.0, 60.0)])
    curve = read_curve("set", tmp_path / "set")
    assert curve.steps_per_robot[[0, -1]].tolist() == [100, 300]
    assert curve.minutes[[0, -1]].tolist() == [3.0, 9.0]
    middle = np.interp(200, curve.steps_per_robot, curve.mean)
    assert middle == pytest.approx((10 + 50) / 2, abs=0.3)


def test_long_curves_are_thinned_and_keep_their_end(tmp_path):
    write_log(tmp_path / "run", [(step, step / 100, float(step)) for step in range(1, 1001)])
    curve = thinned(read_curve("run", tmp_path / "run"))
    assert len(curve.mean) == POINTS and curve.mean[-1] == 1000.0


def test_command_stores_curves_and_draws_them_again(tmp_path, capsys):
    write_log(tmp_path / "run", [(100, 1.0, 1.0), (200, 2.0, 2.0)])
    assert plot_training.main(["--runs", f"mine={tmp_path / 'run'}", "--out", str(tmp_path / "c.png")]) == 0
    assert read_curves(tmp_path / "c.csv")[0].name == "mine"
    assert plot_training.main(["--csv", str(tmp_path / "c.csv"), "--out", str(tmp_path / "again.png")]) == 0
    assert (tmp_path / "c.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert plot_training.main(["--runs", str(tmp_path), "--out", str(tmp_path / "d.png")]) == 0
    assert plot_training.main(["--runs", str(tmp_path / "none"), "--out", str(tmp_path / "e.png")]) == 1
    assert "holds no teacher.csv" in capsys.readouterr().err


def test_other_csv_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(HdError, match="no learning curves"):
        read_curves(tmp_path / "x.csv")
