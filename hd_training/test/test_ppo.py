"""PPO: exact resume, NaN stops, log probability by hand, checkpoints that do not fit are refused."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_controller.urdf_writer import write_urdf
from hd_training.checkpoint import load_checkpoint, save_checkpoint
from hd_training.learner_state import build_learner, learner_state, restore
from hd_training.ppo import log_probability
from hd_training.presets import PpoConfig, Preset, TeacherConfig
from hd_training.train_teacher import train_teacher

PRESET = Preset(
    name="tiny",
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    ppo=PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, minutes=1.0),
)


def advance(learner, iterations):
    for _ in range(iterations):
        samples, _ = learner.rollout()
        learner.update(samples)
        learner.iterations += 1


def test_resume_gives_bitwise_the_same_next_updates(tmp_path):
    robots = small_set()
    learner = build_learner(robots, PRESET)
    advance(learner, 2)
    save_checkpoint(tmp_path / "t.pt", learner_state(learner, robots, PRESET, 12.0))
    advance(learner, 2)
    resumed = build_learner(robots, PRESET)
    assert restore(resumed, load_checkpoint(tmp_path / "t.pt"), robots, tmp_path / "t.pt", PRESET) == 12.0
    advance(resumed, 2)
    assert resumed.steps == learner.steps
    others = resumed.teacher.state_dict()
    for name, value in learner.teacher.state_dict().items():
        assert torch.equal(value, others[name]), name
    np.testing.assert_array_equal(learner.engine.observation, resumed.engine.observation)


def test_checkpoint_of_other_sizes_or_robots_is_refused(tmp_path):
    robots = small_set()
    learner = build_learner(robots, PRESET)
    content = learner_state(learner, robots, PRESET, 0.0)
    wider = replace(PRESET, teacher=replace(PRESET.teacher, width=32))
    with pytest.raises(HdError, match=r"architecture \{'width': 16\}, this run has \{'width': 32\}"):
        restore(build_learner(robots, wider), content, robots, tmp_path, wider)
    with pytest.raises(HdError, match=f"3 in all, 1 of its own: {robots[2].body_id}"):
        restore(build_learner(robots[:2], PRESET), content, robots[:2], tmp_path, PRESET)
    with pytest.raises(HdError, match="trained with context set 'other'; this version computes 'default_v1'"):
        restore(learner, content | {"context_set": "other"}, robots, tmp_path, PRESET)


def test_nan_stops_and_keeps_the_checkpoint(tmp_path):
    robots = small_set()
    learner = build_learner(robots, PRESET)
    samples, _ = learner.rollout()
    samples.advantage[0] = float("nan")
    before = {name: value.clone() for name, value in learner.teacher.state_dict().items()}
    with pytest.raises(HdError, match="checkpoint is kept"):
        learner.update(samples)
    assert all(torch.equal(value, before[name]) for name, value in learner.teacher.state_dict().items())


def test_log_probability_counts_existing_slots_only():
    action, mean = torch.tensor([[[[1.0, 5.0]]]]), torch.tensor([[[[0.0, 0.0]]]])
    slots = torch.tensor([[[True, False]]])
    value = log_probability(action, mean, torch.zeros(1, 1, 2), slots)
    assert value.item() == pytest.approx(-0.5 - 0.9189385, abs=1e-6)


def test_training_writes_log_and_checkpoint_and_resumes(tmp_path):
    preset = replace(PRESET, ppo=replace(PRESET.ppo, max_steps=2 * 3 * 2 * 8))
    train_teacher(small_set(), preset, tmp_path)
    longer = replace(preset, ppo=replace(preset.ppo, max_steps=4 * 3 * 2 * 8))
    train_teacher(small_set(), longer, tmp_path, resume=True)
    rows = (tmp_path / "teacher.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["iteration", "1", "2", "3", "4"]


def test_ctrl_c_saves_after_the_iteration_at_work(tmp_path):
    begin = time.monotonic()
    (tmp_path / "tripod.urdf").write_text(write_urdf(small_set()[0]))
    command = [sys.executable, "-m", "hd_training.train_teacher", "--preset", "smoke", "--robots", str(tmp_path)]
    run = subprocess.Popen([*command, "--out", str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    log = tmp_path / "run" / "teacher.csv"
    while not (log.exists() and len(log.read_text().splitlines()) > 2) and time.monotonic() < begin + 60:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 130 and "continue with --resume" in output
    iterations = load_checkpoint(tmp_path / "run" / "teacher.pt")["counters"][1]
    assert iterations == int(log.read_text().splitlines()[-1].split(",")[0])


def test_a_run_is_neither_replaced_nor_begun_by_mistake(tmp_path):
    robots, short = small_set()[:1], replace(PRESET, ppo=replace(PRESET.ppo, max_steps=16))
    with pytest.raises(HdError, match="no checkpoint at"):
        train_teacher(robots, short, tmp_path, resume=True, progress=False)
    train_teacher(robots, short, tmp_path, progress=False)
    with pytest.raises(HdError, match="holds a trained teacher already; continue it with --resume"):
        train_teacher(robots, short, tmp_path, progress=False)
