"""Evaluation: same seed, same numbers, whatever the workers; teacher, archive and bundle; files; films; refusals."""

import csv
import json
import os
from dataclasses import replace

import imageio.v3
import numpy as np
import pytest
import torch
from robots_for_tests import six_legs, small_set

from hd_controller.shipped_files import generator_folder
from hd_controller.urdf_writer import write_urdf
from hd_training import evaluate as command
from hd_training.archive_teacher import archive_teacher
from hd_training.evaluate import bootstrap_interval, evaluate, named, ratio_interval, table
from hd_training.evaluation_policies import standard_policies, zero_policy
from hd_training.evaluation_video import ranked
from hd_training.presets import EvaluateConfig, PpoConfig, Preset, TeacherConfig
from hd_training.teacher_policy import TeacherPolicy
from hd_training.train_teacher import train_teacher

TINY = Preset(
    name="tiny",
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    ppo=PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, max_steps=48),
)
CONFIG = EvaluateConfig(episodes=3, steps=20)
SHORT = ["--episodes", "2", "--steps", "10", "--workers", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder with a tiny teacher, its archive `small.pt`, and a robot that it has not seen in robots/."""
    folder = tmp_path_factory.mktemp("run")
    archive_teacher(train_teacher(small_set(), TINY, folder), folder / "small.pt")
    (folder / "robots").mkdir()
    (folder / "robots" / "six.urdf").write_text(write_urdf(six_legs()))
    return folder


def test_same_seed_same_numbers_whatever_the_workers(trained):
    robots = small_set()
    results = [
        evaluate(robots, standard_policies(robots, trained / "teacher.pt", None, seed=5), CONFIG, workers=w, seed=5)
        for w in (1, 2)
    ]
    assert results[0] == results[1]
    assert results[0]["policies"] == ["zero", "random", "teacher", "teacher_sampled"]
    other = evaluate(robots, standard_policies(robots, None, None, seed=6), CONFIG, workers=1, seed=6)
    assert other["robots"]["tripod"]["random"] != results[0]["robots"]["tripod"]["random"]


def test_command_writes_everything_for_an_unseen_robot(trained, tmp_path, capsys):
    generator = ["--generator", str(generator_folder("default"))]
    arguments = ["--robots", str(trained / "robots"), "--teacher", str(trained / "small.pt"), *generator, *SHORT]
    assert command.main([*arguments, "--out", str(tmp_path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "evaluation.json").read_text())
    assert printed["policies"] == ["zero", "random", "teacher", "teacher_sampled", "student"]
    with open(tmp_path / "evaluation.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["policy"] for row in rows] == printed["policies"] and {row["limbs"] for row in rows} == {"7"}
    assert (tmp_path / "evaluation.png").read_bytes().startswith(b"\x89PNG")


def test_a_gpu_that_is_not_there_is_refused(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    arguments = ["--robots", str(trained / "robots"), "--teacher", str(trained / "small.pt"), "--out", str(tmp_path)]
    assert command.main([*arguments, *SHORT, "--device", "cuda"]) == 1
    assert "torch finds none on this machine" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
def test_a_teacher_acts_on_a_gpu_as_on_the_processor(trained):
    robots, observation = small_set(), np.random.default_rng(0).standard_normal((3, 2, 9, 17)).astype(np.float32)
    here = TeacherPolicy.load(trained / "teacher.pt", robots).actor()(observation)
    there = TeacherPolicy.load(trained / "teacher.pt", robots).on(torch.device("cuda")).actor()(observation)
    np.testing.assert_allclose(there, here, atol=1e-3)


def test_table_has_intervals_and_share_above_the_threshold(monkeypatch):
    returns = {"a": np.array([[100.0, 300.0], [500.0, 700.0]])}
    monkeypatch.setattr(command, "episode_returns", lambda robots, act, config, **_: returns["a"])
    result = evaluate(small_set()[:2], {"zero": zero_policy}, replace(CONFIG, episodes=2), workers=1)
    assert result["summary"]["zero"]["share_above_threshold"] == 0.5 and result["summary"]["zero"]["median"] == 400.0
    assert "| tripod | 4 | 200 [100, 300] (4.0 m) |" in table(result) and "| 50 % |" in table(result)
    assert ranked(result, "zero") == {"best": "biped_walker", "median": "tripod", "worst": "tripod"}


def test_interval_of_known_numbers():
    low, high = bootstrap_interval(np.random.default_rng(0).normal(10.0, 2.0, 400))
    assert 9.6 < low < 9.95 and 10.0 < high < 10.4


def test_interval_of_a_ratio_draws_robots_as_pairs(monkeypatch):
    teacher = np.random.default_rng(0).uniform(10.0, 3000.0, 100)
    assert ratio_interval(0.9 * teacher, teacher) == pytest.approx((0.9, 0.9))  # whatever robots are drawn
    student = teacher * np.random.default_rng(1).uniform(0.5, 1.3, 100)
    low, high = ratio_interval(student, teacher)
    assert low < student.mean() / teacher.mean() < high and 0.02 < high - low < 0.2
    returns = {0.9: 0.9 * teacher[:2, None], 1.0: teacher[:2, None]}
    monkeypatch.setattr(command, "episode_returns", lambda robots, act, config, **_: returns[act])
    result = evaluate(small_set()[:2], {"teacher": 1.0, "student": 0.9}, replace(CONFIG, episodes=1), workers=1)
    assert "student / teacher: 0.900 [0.900, 0.900]" in table(result)


def test_robots_of_one_name_stay_apart():
    robots = [replace(robot, name="same") for robot in small_set()]
    assert len(named(robots)) == 3


def test_robots_that_were_trained_with_are_left_out(trained, tmp_path, capsys):
    folder = tmp_path / "robots"
    folder.mkdir()
    for robot in [*small_set(), six_legs()]:
        (folder / f"{robot.name}.urdf").write_text(write_urdf(robot))
    arguments = ["--robots", str(folder), "--teacher", str(trained / "small.pt"), *SHORT, "--unseen", "--json"]
    assert command.main([*arguments, "--out", str(tmp_path / "a"), "--policies", "teacher", "zero"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["robots"]) == ["hexapod"] and result["policies"] == ["zero", "teacher"]
    generator = ["--generator", str(generator_folder("default"))]  # the demo robots, hexapod among them, are its own
    assert command.main([*arguments, *generator, "--out", str(tmp_path / "b")]) == 1
    assert "every robot was trained with" in capsys.readouterr().err
    assert command.main([*arguments, "--out", str(tmp_path / "c"), "--policies", "student"]) == 1
    assert "there is no student; there are zero, random, teacher, teacher_sampled" in capsys.readouterr().err


def test_missing_teacher_is_named(trained, capsys):
    arguments = ["--robots", str(trained / "robots"), "--out", str(trained), "--teacher", str(trained / "none.pt")]
    assert command.main(arguments) == 1
    assert "none.pt does not exist" in capsys.readouterr().err


@pytest.mark.skipif(os.environ.get("MUJOCO_GL") not in ("egl", "osmesa"), reason="needs MUJOCO_GL=egl or osmesa")
@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_films_of_best_median_and_worst(trained, tmp_path, suffix):
    for robot in small_set():
        (tmp_path / f"{robot.name}.urdf").write_text(write_urdf(robot))
    arguments = ["--robots", str(tmp_path), "--teacher", str(trained / "teacher.pt"), *SHORT, "--video", suffix]
    assert command.main([*arguments, "--out", str(tmp_path / "o")]) == 0
    films = sorted((tmp_path / "o").glob(f"video_*.{suffix}"))
    assert [path.name.split("_")[1] for path in films] == ["best", "median", "worst"]
    assert imageio.v3.imread(films[0]).shape[1:] == (240, 320, 3)


def test_mp4_without_its_package_is_refused_before_the_work(trained, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    arguments = ["--robots", str(trained / "robots"), "--out", str(trained / "o"), "--video", "mp4"]
    assert command.main(arguments) == 1
    assert "choose --video gif" in capsys.readouterr().err and not (trained / "o").exists()
