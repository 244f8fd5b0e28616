"""Presets: other networks train and resume, schedules, placement, weights of another run, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from robots_for_tests import six_legs, small_set

from hd_controller.errors import HdError
from hd_controller.urdf_writer import write_urdf
from hd_training import train_teacher as command
from hd_training.architecture import build_network, describe_architecture
from hd_training.archive_teacher import archive_teacher
from hd_training.checkpoint import load_checkpoint
from hd_training.learner_state import CHECKPOINT, build_learner
from hd_training.learning_rate import cosine_rate
from hd_training.placement import Placement
from hd_training.presets import PAPER, PRESETS, PpoConfig, Preset, TeacherConfig
from hd_training.teacher_policy import TeacherPolicy
from hd_training.train_teacher import start, train_teacher

TINY = Preset(
    name="tiny",
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    ppo=PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, max_steps=48),
)


@pytest.mark.parametrize("name", ["modumorph_compressed", "metamorph", "single_robot_mlp", "hyperdistill"])
def test_other_networks_train_resume_and_act(tmp_path, name):
    preset = replace(TINY, network=name, action_std=0.5)
    robots = small_set()
    train_teacher(robots, preset, tmp_path)
    longer = replace(preset, ppo=replace(preset.ppo, max_steps=96))
    path = train_teacher(robots, longer, tmp_path, resume=True)
    rows = (tmp_path / "teacher.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["iteration", "1", "2"]
    assert rows[1].split(",")[rows[0].split(",").index("std")] == "0.5"
    observation = np.zeros((3, 1, max(len(robot.limbs) for robot in robots), 17), np.float32)
    assert np.isfinite(TeacherPolicy.load(path, robots).actor()(observation)).all()


def test_tensorboard_beside_csv(tmp_path):
    pytest.importorskip("tensorboard")
    train_teacher(small_set(), TINY, tmp_path)
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_weights_that_all_bodies_share_keep_the_full_rate():
    network = build_network({"network": "modumorph", "std": 0.9})
    slow = [name for name, _ in network.named_parameters() if any(part in name for part in network.context_parts)]
    assert "actor.network.embed.weight_head.weight" in slow and "actor.network.embed.weight_head.bias" not in slow
    assert not any(".value." in name or ".expand." in name for name in slow)


def test_paper_schedule():
    config, samples = PAPER.ppo, 100 * PAPER.ppo.environments * PAPER.ppo.horizon
    assert samples == 81_600 and samples // (100 * config.minibatch) == 16
    assert cosine_rate(config, 0, samples) == pytest.approx(3e-5)
    assert cosine_rate(config, 5, samples) == pytest.approx(3e-4, rel=1e-3)
    assert cosine_rate(config, config.max_steps // samples + 1, samples) == pytest.approx(0.0, abs=1e-12)


def test_paper_update_on_the_processor():
    preset = replace(PAPER, device="cpu", workers=1, ppo=replace(PAPER.ppo, environments=2, horizon=8, minibatch=8))
    learner = build_learner(small_set(), preset)
    losses = learner.update(learner.rollout()[0])
    learner.engine.close()
    assert 0 < losses["updates"] <= 16 and learner.rate == pytest.approx(3e-4 * 0.28, rel=1e-3)


def test_gpu_preset_without_a_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HdError, match="--device cpu"):
        Placement.of(PRESETS["gpu"])


def test_bfloat16_changes_little():
    robots = small_set()
    learner = build_learner(robots, TINY)
    samples, _ = learner.rollout()
    exact = learner._losses(samples)
    learner.placement = Placement(bfloat16=True)
    rounded = learner._losses(samples)
    learner.engine.close()
    assert rounded["value_loss"].dtype == torch.float32
    assert rounded["value_loss"].item() == pytest.approx(exact["value_loss"].item(), rel=0.05)


@pytest.mark.parametrize("archived", [False, True])
def test_init_takes_weights_and_scales_for_other_robots(tmp_path, archived):
    source = train_teacher(small_set(), TINY, tmp_path / "a")
    if archived:
        archive_teacher(source, tmp_path / "a.pt")
        source = tmp_path / "a.pt"
    content, others = load_checkpoint(source), [six_legs(), small_set()[0]]
    learner, seconds = start(others, TINY, tmp_path / "b" / CHECKPOINT, resume=False, init=source)
    learner.engine.close()
    assert seconds == 0.0 and learner.steps == 0
    for name, value in learner.teacher.state_dict().items():
        assert torch.equal(value, content["teacher"][name].float()), name
    np.testing.assert_array_equal(learner.moments.mean, content["moments"]["mean"])
    np.testing.assert_array_equal(learner.context_scale[0], content["context_mean"])
    assert learner.scale.mean[1] == content["scale"][0][0]


def test_init_run_resumes_with_the_files_context_scale(tmp_path):
    source = train_teacher(small_set(), TINY, tmp_path / "a")
    others = [six_legs(), small_set()[0]]
    path = train_teacher(others, TINY, tmp_path / "b", init=source)
    longer = replace(TINY, ppo=replace(TINY.ppo, max_steps=96))
    train_teacher(others, longer, tmp_path / "b", resume=True)
    assert load_checkpoint(path)["context_mean"] == load_checkpoint(source)["context_mean"]


def test_init_of_another_network_and_resume_of_an_archive_are_refused(tmp_path):
    source = train_teacher(small_set(), TINY, tmp_path / "a")
    with pytest.raises(HdError, match=r"'network': 'compact'.*'network': 'modumorph'"):
        train_teacher(small_set(), replace(TINY, network="modumorph"), tmp_path / "b", init=source)
    (tmp_path / "c").mkdir()
    archive_teacher(source, tmp_path / "c" / CHECKPOINT)
    with pytest.raises(HdError, match="--init"):
        train_teacher(small_set(), TINY, tmp_path / "c", resume=True)


def test_unknown_network_is_named():
    with pytest.raises(HdError, match="'gpt' is unknown, expected one of compact, expert, hyperdistill, metamorph"):
        describe_architecture(replace(TINY, network="gpt"), small_set())


def test_broken_file_in_a_folder_is_named_and_skipped_only_when_asked(tmp_path, capsys):
    folder = tmp_path / "robots"
    folder.mkdir()
    for robot in small_set():
        (folder / f"{robot.name}.urdf").write_text(write_urdf(robot))
    (folder / "broken.urdf").write_text("<robot name='broken'><link")
    arguments = ["--preset", "smoke", "--robots", str(folder), "--out", str(tmp_path / "o"), "--workers", "1"]
    assert command.main(arguments) == 1
    output = capsys.readouterr().err
    assert "broken.urdf" in output and "--skip-invalid" in output and not (tmp_path / "o").exists()
    assert command.main([*arguments, "--skip-invalid", "--max-steps", "1"]) == 0
    assert "skipped" in capsys.readouterr().out and (tmp_path / "o" / CHECKPOINT).exists()
