"""The command `reproduce`: experiments end to end, continuing after a kill, what is refused, and its arithmetic."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from robots_for_tests import six_legs, small_set

from hd_controller.errors import HdError
from hd_training import reproduction_steps
from hd_training.reproduce import NAMES, main
from hd_training.reproduction_differences import difference_table, differences
from hd_training.reproduction_experiments import Arm, Experiment
from hd_training.reproduction_plan import Step, Unit
from hd_training.reproduction_plot import plot
from hd_training.reproduction_queue import DONE, finished, locked, run
from hd_training.reproduction_report import scores, table, write_csv
from hd_training.reproduction_returns import PublishedReturns
from hd_training.reproduction_robots import GivenRobots
from hd_training.reproduction_steps import RETURNS, Workplace
from hd_training.robot_set import read_robots, write_robots
from hd_training.shipped_sets import held_out_set, training_set

TEACHER = Path(__file__).resolve().parents[1] / "teachers" / "laptop_24_robots.pt"
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def robots(tmp_path_factory) -> list[str]:
    """Arguments for three training robots and two test robots, which the shipped teacher does not know."""
    folder = tmp_path_factory.mktemp("robots")
    write_robots(small_set(), folder / "train", {})
    write_robots(read_robots([held_out_set()])[:2], folder / "test", {})
    return ["--robots", str(folder / "train"), "--test-robots", str(folder / "test")]


def arguments(experiment: str, out: Path, *more: str) -> list[str]:
    return ["--experiment", experiment, "--scale", "smoke", "--out", str(out), "--workers", "1", *more]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """One queue for all experiments, as `--experiment all` has it."""
    return tmp_path_factory.mktemp("queue")


@pytest.mark.slow
@pytest.mark.parametrize("experiment", NAMES)
def test_experiment_from_robots_to_figure(experiment, shared, capsys):
    assert main(arguments(experiment, shared)) == 0
    printed = capsys.readouterr().out
    stem = shared / "results" / f"{experiment}_smoke"
    assert stem.with_suffix(".png").read_bytes().startswith(PNG)
    content = json.loads(stem.with_suffix(".json").read_text())
    with open(stem.with_suffix(".csv"), newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(content["scores"]) > 0
    assert all(row["group"] in printed for row in rows)
    assert content["robots_sha256"]
    assert all(made["torch"] and made["git_revision"] for made in content["versions"])
    assert content["teachers"]["teachers/universal"]["steps"] > 0
    two_seeds = experiment == "main"
    assert any(row["standard_error"] for row in rows) == two_seeds
    assert main(arguments(experiment, shared, "--list")) == 0
    listed = capsys.readouterr().out
    assert "  to do  " not in listed and "\n0 of " in listed


@pytest.mark.slow
def test_killed_queue_continues_and_comes_to_the_same_numbers(tmp_path, robots, capsys):
    more = [*robots, "--teacher", str(TEACHER)]
    assert main(arguments("dropout", tmp_path / "whole", *more)) == 0
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "hd_training.reproduce", *arguments("dropout", out, *more)]
    kills = 0
    for wanted in ("data/*/*.h5", "students/*/*/seed0/begun.json", "returns/**/begun.json"):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        while not any(out.glob(wanted)) and process.poll() is None:
            assert time.monotonic() < deadline, f"no {wanted} in time"
            time.sleep(0.01)
        kills += process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert kills > 0
    before = {path: path.stat().st_mtime_ns for path in out.glob(f"**/{DONE}")}
    capsys.readouterr()
    assert main(arguments("dropout", out, *more)) == 0
    assert before and all(path.stat().st_mtime_ns == then for path, then in before.items())
    name = "results/dropout_smoke.csv"
    assert (out / name).read_text() == (tmp_path / "whole" / name).read_text()


@pytest.mark.slow
def test_a_student_that_fails_stops_nothing_else(tmp_path, robots, capsys, monkeypatch):
    more = [*robots, "--teacher", str(TEACHER)]
    real = reproduction_steps.KINDS["student"]

    def one_diverges(step: Step, place: Workplace) -> None:
        if "-policy/" in step.name:
            raise HdError("the student diverged")
        real(step, place)

    monkeypatch.setitem(reproduction_steps.KINDS, "student", one_diverges)
    assert main(arguments("dropout", tmp_path, *more)) == 1
    error = capsys.readouterr().err
    assert "hyperdistill-policy/universal_pd_4/seed0 failed: the student diverged" in error
    assert "returns/students/hyperdistill-policy/universal_pd_4/seed0/train_part_1 failed: needs students/" in error
    assert (tmp_path / "returns/students/hyperdistill-none/universal_pd_4/seed0/test_part_1" / DONE).exists()
    assert not (tmp_path / "results/dropout_smoke.csv").exists()
    monkeypatch.undo()
    assert main(arguments("dropout", tmp_path, *more)) == 0
    assert (tmp_path / "results/dropout_smoke.csv").exists()


@pytest.mark.slow
def test_published_returns_need_no_work_on_another_machine(tmp_path, robots, capsys):
    more = [*robots, "--teacher", str(TEACHER), "--results", str(tmp_path / "results")]
    assert main(arguments("dropout", tmp_path / "first", *more)) == 0
    table_file = tmp_path / "results/dropout_smoke.csv"
    first, files = table_file.read_text(), sorted((tmp_path / "results/returns_smoke").rglob("*.json"))
    table_file.unlink()
    capsys.readouterr()
    assert main(arguments("dropout", tmp_path / "second", *more)) == 0
    assert capsys.readouterr().out.startswith("0 of ")
    assert table_file.read_text() == first and not (tmp_path / "second/data").exists()
    files[0].unlink()
    assert main(arguments("dropout", tmp_path / "third", *more, "--list")) == 0
    listed = capsys.readouterr().out
    assert listed.count("to do  ") == 5  # the returns of one arm, and what they are made from
    assert listed.count("published  ") == len(files) - 1
    whole = files[1].read_text()
    files[1].write_text(whole[:100])
    assert main(arguments("dropout", tmp_path / "third", *more, "--list")) == 1
    assert f"{files[1]} is damaged" in capsys.readouterr().err
    files[1].write_text(whole)
    other = tmp_path / "other.pt"
    other.write_bytes(TEACHER.read_bytes() + b"\0")
    changed = [*robots, "--teacher", str(other), "--results", str(tmp_path / "results")]
    assert main(arguments("dropout", tmp_path / "fourth", *changed)) == 1
    assert "holds returns of other settings, robots or teachers" in capsys.readouterr().err
    assert files[1].read_text() == whole and table_file.read_text() == first


@pytest.mark.slow
def test_given_teachers_are_used_and_others_are_refused(tmp_path, robots, capsys):
    more = [*robots, "--teacher", str(TEACHER)]
    assert main(arguments("dropout", tmp_path, *more)) == 0
    capsys.readouterr()
    other = tmp_path / "other.pt"
    other.write_bytes(TEACHER.read_bytes() + b"\0")
    changed = arguments("dropout", tmp_path, *robots, "--teacher", str(other))
    assert main(changed) == 1
    assert "teachers/universal was made with other settings" in capsys.readouterr().err
    assert main([*changed, "--overwrite"]) == 0
    assert "data/universal_pd_4: made with other settings; doing it again" in capsys.readouterr().out


def test_listing_does_no_work(tmp_path, robots, capsys):
    out = tmp_path / "out"
    assert main(arguments("main", out, *robots, "--list")) == 0
    text = capsys.readouterr().out
    assert "students/hyperdistill/universal_pd_4/seed1" in text
    assert " steps to do, " in text and " h on two cores" in text
    assert not out.exists()


def test_wrong_input_is_refused_in_one_sentence(tmp_path, robots, capsys):
    for option, sentence in (("--teacher", "no universal teacher at"), ("--experts", "holds no ROBOT/teacher.pt")):
        assert main(arguments("main", tmp_path, *robots, option, str(tmp_path / "none"))) == 1
        error = capsys.readouterr().err
        assert sentence in error and error.count("\n") == 1
    with locked(tmp_path):
        assert main(arguments("main", tmp_path, *robots)) == 1
    assert "another process is working" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(arguments("main", tmp_path, "--seeds", "0"))


def place_in(folder: Path) -> Workplace:
    return Workplace(folder, GivenRobots(small_set(), [six_legs()]))


def test_a_step_is_done_once_and_a_failing_one_keeps_its_time(tmp_path, monkeypatch):
    place, calls = place_in(tmp_path), []

    def fails_at_first(step: Step, _place: Workplace) -> None:
        calls.append(step.name)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setitem(reproduction_steps.KINDS, "test", fails_at_first)
    step = Step("a/b", "test", {"x": 1}, 1.0)
    with pytest.raises(KeyboardInterrupt):
        run(step, place)
    assert finished(step, place) is None
    begun = json.loads((tmp_path / "a/b/begun.json").read_text())
    record = run(step, place)
    assert record.seconds >= begun["seconds"] > 0
    assert finished(step, place) == record


def test_scores_by_hand(tmp_path):
    place, experiment = place_in(tmp_path), Experiment("n", "Fig.", "t", (Arm("a"), Arm("b")), "a", ("train",))
    published, units = PublishedReturns(tmp_path / "published"), []
    for arm, seeds in (("a", ([[100, 300], [500, 700]], [[0, 0], [200, 400]])), ("b", ([[1, 3], [5, 7]],))):
        for seed, rows in enumerate(seeds):
            step = Step(f"returns/{arm}{seed}", "returns", {}, 0.0)
            place.folder(step).mkdir(parents=True)
            entries = [{"name": str(n), "body_id": str(n), "returns": row} for n, row in enumerate(rows)]
            (place.folder(step) / RETURNS).write_text(json.dumps(entries))
            published.write(step, place)
            units.append(Unit(Arm(arm), "train", seed, step))
    first, second = scores(experiment, units, published)
    # Seed means 400 and 150; std of the two is 250 / sqrt(2), its standard error 125. Robots over seeds: 100, 450.
    assert (first.mean, first.standard_error, first.seeds, first.count) == (275.0, pytest.approx(125.0), 2, 2)
    assert first.above_threshold == 0.5 and 100 <= first.low <= first.high <= 450
    assert (second.mean, second.standard_error) == (4.0, None)
    text = table(experiment, [first, second])
    assert "| a, HyperDistill | 2 | 275 ± 125 [" in text and "| b, HyperDistill | 1 | 4 [" in text
    write_csv([first, second], tmp_path / "x.csv")
    with open(tmp_path / "x.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["standard_error"] for row in rows] == ["125.0000", ""]
    (difference,) = differences(experiment, units, published)
    # Robot by robot: 2 - 100 and 6 - 450.
    assert (difference.group, difference.mean, difference.count, difference.better) == ("b", -271.0, 2, 0.0)
    assert -444 <= difference.low <= difference.high <= -98
    assert "| b, HyperDistill | -271 [-444, -98] | 0 % |" in difference_table(experiment, [difference])
    plot(experiment, [first, second], tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


def test_differences_pair_robots_and_refuse_others(tmp_path):
    experiment, units = Experiment("n", "f", "t", (Arm("a"), Arm("b")), "a", ("train",)), []
    place, published = place_in(tmp_path), PublishedReturns(tmp_path / "published")
    for arm, rows in (("a", {"one": 100, "two": 1000}), ("b", {"two": 1010, "one": 110})):
        step = Step(f"returns/{arm}", "returns", {}, 0.0)
        place.folder(step).mkdir(parents=True)
        entries = [{"name": name, "body_id": name, "returns": [value]} for name, value in rows.items()]
        (place.folder(step) / RETURNS).write_text(json.dumps(entries))
        published.write(step, place)
        units.append(Unit(Arm(arm), "train", 0, step))
    (found,) = differences(experiment, units, published)
    assert (found.mean, found.low, found.high, found.better) == (10, 10, 10, 1)  # the order of robots does not matter
    file = published.file(units[1].step)
    file.write_text(file.read_text().replace('"two"', '"three"'))
    with pytest.raises(HdError, match="'b' and the arm it is compared with have returns of different training robots"):
        differences(experiment, units, published)


def test_shipped_sets_are_disjoint_for_the_default_run():
    given = GivenRobots.of(read_robots([training_set()]), read_robots([held_out_set()]))
    assert (len(given.training), len(given.test)) == (100, 100)
