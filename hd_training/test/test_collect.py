"""Collecting: rows are what the teacher did, whatever the processes; resume, damage, other teachers, experts, disk."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from robots_for_tests import six_legs, small_set

from hd_controller.errors import HdError
from hd_controller.urdf_writer import write_urdf
from hd_training import collect as command
from hd_training.collect import collect
from hd_training.distill import Distillation, distill
from hd_training.learner_state import CHECKPOINT
from hd_training.presets import CollectConfig, PpoConfig, Preset, TeacherConfig
from hd_training.students import student_policy
from hd_training.teacher_policy import TeacherPolicy
from hd_training.train_teacher import train_teacher
from hd_training.trajectory_index import INDEX, DatasetIndex
from hd_training.trajectory_store import read_action_std, read_rows, trajectory_path

TINY = Preset(
    name="tiny",
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    ppo=PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, max_steps=48),
)
CONFIG = CollectConfig(environments=3, steps=20, noise_std=None)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory) -> Path:
    """A universal teacher's checkpoint."""
    return train_teacher(small_set(), TINY, tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def dataset(teacher, tmp_path_factory) -> Path:
    """A dataset of three robots, to be read only."""
    return collect(small_set(), teacher, CONFIG, tmp_path_factory.mktemp("data"), seed=1, workers=1)


def test_rows_are_observations_with_the_teachers_means(teacher, dataset):
    index = DatasetIndex.load(dataset)
    for robot in small_set():
        path, entry = trajectory_path(dataset, robot.body_id), index.robots[robot.body_id]
        observation, action = read_rows(path, 0, 1000)
        assert observation.shape == (60, len(robot.limbs), 17) and observation.dtype == np.float16
        assert entry.rows == 60 and entry.bytes == path.stat().st_size and entry.name == robot.name
        policy = TeacherPolicy.load(teacher, [robot])
        slots = np.zeros(len(robot.limbs) * 2, bool)
        slots[robot.slots] = True
        expected = policy.actor()(observation[None].astype(np.float32))[0] * slots.reshape(-1, 2)
        np.testing.assert_allclose(action, expected, atol=5e-3)
        assert np.abs(action[:, ~slots.reshape(-1, 2)]).max() == 0
        std = read_action_std(path)
        np.testing.assert_allclose(std[slots.reshape(-1, 2)], policy.action_std()[0][slots.reshape(-1, 2)])
        np.testing.assert_allclose(entry.observation_mean, observation.reshape(-1, 17).mean(0, np.float64), atol=2e-3)


def test_rows_are_shuffled(dataset):
    """The start of the file holds late states too: standing robots have moved by then."""
    observation, _ = read_rows(trajectory_path(dataset, small_set()[2].body_id), 0, 60)
    still = np.abs(observation[:, 0, 7:10]).sum(-1) < 0.1
    first = np.flatnonzero(still)
    assert 0 < len(first) < 30 and first.max() > 10


def test_processes_and_company_change_nothing(teacher, dataset, tmp_path):
    again = collect([small_set()[1], six_legs()], teacher, CONFIG, tmp_path, seed=1, workers=2)
    body = small_set()[1].body_id
    for left, right in zip(
        read_rows(trajectory_path(again, body), 0, 60), read_rows(trajectory_path(dataset, body), 0, 60), strict=True
    ):
        np.testing.assert_array_equal(left, right)


def test_a_student_acts_in_half_of_the_environments(teacher, dataset, tmp_path, capsys):
    robot = small_set()[1]
    preset = replace(TINY, distill=replace(TINY.distill, max_updates=2, robots=2, samples=10))
    student = distill(Distillation(small_set(), preset, dataset, tmp_path))
    policy, config = TeacherPolicy.load(teacher, [robot]), replace(CONFIG, environments=4, noise_std=0.0)
    alone, _ = command._simulate(robot, policy, config, 5)
    mixed, _ = command._simulate(robot, policy, config, 5, student_policy(student, [robot]))
    shape = (config.steps, config.environments, len(robot.limbs), 17)
    before, after = alone.observation.reshape(shape), mixed.observation.reshape(shape)
    np.testing.assert_array_equal(after[:, :2], before[:, :2])
    assert np.abs(after[-1, 2:] - before[-1, 2:]).max() > 1e-3
    expected = policy.actor()(mixed.observation[None])[0]
    np.testing.assert_allclose(mixed.action, expected * (mixed.action != 0), atol=1e-5)
    collect([robot], teacher, config, tmp_path / "data", seed=1, workers=1, student=student)
    with pytest.raises(HdError, match="student_sha256"):
        collect([robot], teacher, config, tmp_path / "data", seed=1, workers=1)
    file = tmp_path / "robot.urdf"
    file.write_text(write_urdf(robot))
    arguments = ["--robots", str(file), "--out", str(tmp_path / "new"), "--teacher", str(teacher)]
    assert command.main([*arguments, "--student", str(tmp_path / "none.pt")]) == 1
    assert "none.pt" in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_interrupted_and_damaged_collections_continue(teacher, dataset, tmp_path, capsys):
    folder = shutil.copytree(dataset, tmp_path / "data")
    first, second, third = (trajectory_path(folder, robot.body_id) for robot in small_set())
    content = json.loads((folder / INDEX).read_text())
    del content["robots"][third.stem]
    (folder / INDEX).write_text(json.dumps(content))
    data = bytearray(second.read_bytes())
    data[len(data) // 2] ^= 1
    second.write_bytes(data)
    kept = first.stat().st_mtime_ns
    collect(small_set(), teacher, CONFIG, folder, seed=1, workers=1)
    output = capsys.readouterr().out
    assert "biped_walker are damaged" in output and "2 robots x 60 transitions (1 robots are there already)" in output
    assert first.stat().st_mtime_ns == kept
    np.testing.assert_array_equal(
        read_rows(third, 0, 60)[0], read_rows(trajectory_path(dataset, third.stem), 0, 60)[0]
    )
    DatasetIndex.load(folder).require(folder, small_set())


def test_another_teacher_or_other_settings_are_refused_unless_overwritten(teacher, dataset, tmp_path):
    folder = shutil.copytree(dataset, tmp_path / "data")
    other = train_teacher(small_set(), replace(TINY, seed=5), tmp_path / "other")
    with pytest.raises(HdError, match=r"another teacher.*--overwrite"):
        collect(small_set(), other, CONFIG, folder, seed=1, workers=1)
    with pytest.raises(HdError, match=r"'steps': 20.*'steps': 10.*--overwrite"):
        collect(small_set(), teacher, replace(CONFIG, steps=10), folder, seed=1, workers=1)
    collect(small_set()[:1], other, CONFIG, folder, seed=1, workers=1, overwrite=True)
    assert list(DatasetIndex.load(folder).robots) == [small_set()[0].body_id]
    assert len(list(folder.glob("*.h5"))) == 1


def test_missing_robot_and_other_observations_are_named(dataset, tmp_path):
    folder = shutil.copytree(dataset, tmp_path / "data")
    trajectory_path(folder, small_set()[0].body_id).unlink()
    with pytest.raises(HdError, match=r"those of tripod are missing .*, hexapod are missing; run collect"):
        DatasetIndex.load(folder).require(folder, [*small_set(), six_legs()])
    text = (folder / INDEX).read_text()
    (folder / INDEX).write_text(text.replace('"observation_set": "', '"observation_set": "other_'))
    with pytest.raises(HdError, match=r"^[^ ]*dataset\.json holds observations 'other_"):
        DatasetIndex.load(folder)
    for old, new, sentence in (
        ('"context_set": "', '"context_set": "other_', r"of a teacher with context features 'other_.*collect anew"),
        ('"context_mean": [', '"context_mean": [0.0, ', "damaged .*context_mean of the teacher has 30 numbers"),
        ('"kind"', '"sort"', "damaged .*'kind'"),
    ):
        (folder / INDEX).write_text(text.replace(old, new))
        with pytest.raises(HdError, match=sentence):
            DatasetIndex.load(folder)
    content = json.loads(text)
    content["robots"][small_set()[1].body_id]["teacher_sha256"] = "0" * 64
    (folder / INDEX).write_text(json.dumps(content))
    with pytest.raises(HdError, match=f"those of {small_set()[1].name} are of another teacher than the dataset's"):
        DatasetIndex.load(folder).require(folder, small_set()[1:])
    (folder / INDEX).write_text(text[:200])
    with pytest.raises(HdError, match="is damaged"):
        DatasetIndex.load(folder)


def test_experts_are_matched_by_body_not_by_name(tmp_path):
    robots, experts = small_set()[:2], tmp_path / "experts"
    for robot, name in zip(robots, ("b", "a"), strict=True):
        train_teacher([robot], replace(TINY, seed=len(robot.limbs)), experts / name)
    folder = collect(robots, experts, CONFIG, tmp_path / "data", seed=1, workers=1)
    index = DatasetIndex.load(folder)
    assert index.teacher["kind"] == "experts" and index.teacher["experts"] == 2
    for robot, name in zip(robots, ("b", "a"), strict=True):
        observation, action = read_rows(trajectory_path(folder, robot.body_id), 0, 60)
        expected = TeacherPolicy.load(experts / name / CHECKPOINT, [robot]).actor()(observation[None].astype("f4"))[0]
        there = np.abs(action).max(0) > 0
        np.testing.assert_allclose(action[:, there], expected[:, there], atol=5e-3)
    with pytest.raises(HdError, match=r"2 experts .*none for quadruped"):
        collect(small_set(), experts, CONFIG, tmp_path / "more", seed=1, workers=1)
    shutil.copytree(experts / "a", experts / "c")
    with pytest.raises(HdError, match="both experts of one body"):
        collect(robots, experts, CONFIG, tmp_path / "more", seed=1, workers=1)


def test_too_small_a_disk_is_refused_before_work(teacher, tmp_path, monkeypatch, capsys):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(command.shutil, "disk_usage", lambda _: usage._replace(free=10_000))
    with pytest.raises(HdError, match=r"room for 0\.0 MB, the trajectories need up to 0\.1 MB"):
        collect(small_set(), teacher, CONFIG, tmp_path, seed=1, workers=1)
    assert "3 robots x 60 transitions: at most 0.1 MB" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_command(teacher, tmp_path, capsys):
    (tmp_path / "six.urdf").write_text(write_urdf(six_legs()))
    arguments = ["--robots", str(tmp_path / "six.urdf"), "--out", str(tmp_path / "run"), "--steps", "5"]
    assert command.main([*arguments, "--teacher", str(tmp_path / "none.pt")]) == 1
    assert "no teacher at" in capsys.readouterr().err
    assert command.main([*arguments, "--teacher", str(teacher), "--noise", "0", "--environments", "2"]) == 0
    index = DatasetIndex.load(tmp_path / "run" / "data")
    assert index.collection == {"environments": 2, "steps": 5, "noise_std": 0.0, "seed": 1}
    with h5py.File(trajectory_path(tmp_path / "run" / "data", six_legs().body_id)) as file:
        assert file.attrs["name"] == "hexapod" and file.attrs["schema_version"] == 1
