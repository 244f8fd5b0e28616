"""The benchmark of distillation: both ways do the same work, the table has their ratio, the curves both losses."""

import csv
import json

import torch
from robots_for_tests import small_set

from hd_controller.urdf_writer import write_urdf
from hd_training import bench_distill
from hd_training.bench_distill import distiller_of, random_batch
from hd_training.collect import collect
from hd_training.presets import CollectConfig, PpoConfig, Preset, StudentConfig, TeacherConfig
from hd_training.train_teacher import train_teacher

TINY = Preset(
    name="tiny",
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    ppo=PpoConfig(environments=2, horizon=8, minibatch=8, epochs=1, max_steps=48),
    collect=CollectConfig(environments=2, steps=40),
    student=StudentConfig(encoder_width=16, encoder_feedforward=16, policy_width=16, context_dropout=0.0),
)


def test_both_ways_make_the_same_step_without_dropout():
    batch = random_batch(small_set(), 4)
    weights = []
    for per_sample in (False, True):
        distiller = distiller_of(TINY, per_sample=per_sample)
        distiller.update(batch, 0.0)
        weights.append(distiller.student.state_dict())
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name], atol=2e-5, rtol=1e-3, msg=name)


def test_speed_and_curves(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(bench_distill.PRESETS, "smoke", TINY)
    (tmp_path / "robots").mkdir()
    for robot in small_set():
        (tmp_path / "robots" / f"{robot.name}.urdf").write_text(write_urdf(robot))
    arguments = ["--preset", "smoke", "--robots", str(tmp_path / "robots")]
    assert bench_distill.main([*arguments, "--rounds", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["ratio"] == figures["once per robot"] / figures["once per sample"] > 0
    teacher = train_teacher(small_set(), TINY, tmp_path / "run")
    collect(small_set(), teacher, TINY.collect, tmp_path / "data", seed=0, workers=1)
    curves = [*arguments, "--curves", str(tmp_path / "data"), "--updates", "3"]
    assert bench_distill.main(curves) == 1
    assert "--out" in capsys.readouterr().err
    assert bench_distill.main([*curves, "--out", str(tmp_path / "out")]) == 0
    with open(tmp_path / "out" / "mask_losses.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 and abs(float(rows[0]["once_per_robot"]) - float(rows[0]["once_per_sample"])) < 1e-5
    assert (tmp_path / "out" / "mask_losses.png").stat().st_size > 1000
