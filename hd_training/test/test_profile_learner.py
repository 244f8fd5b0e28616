"""The learner's profile: its parts cover the iteration; the command prints and writes them."""

import json
from dataclasses import replace

from robots_for_tests import small_set

from hd_training import profile_learner
from hd_training.learner_state import build_learner
from hd_training.presets import SMOKE, PpoConfig
from hd_training.profile_learner import measure, table
from hd_training.robot_set import write_robots

PARTS = {"simulate", "act: actor in the rollout", "losses, forward", "backward", "gradient norm and Adam"}


def test_parts_make_up_the_iteration():
    ppo = PpoConfig(environments=8, horizon=16, minibatch=32, epochs=2, kl_limit=float("inf"))
    learner = build_learner(small_set(), replace(SMOKE, workers=1, ppo=ppo))
    measured = measure(learner, 2)
    assert set(measured.sections_s) >= PARTS and all(seconds > 0 for seconds in measured.sections_s.values())
    whole = measured.rollout_s + measured.update_s
    assert 0.5 * whole < sum(measured.sections_s.values()) <= whole
    assert measured.samples == 3 * 8 * 16 and measured.updates == 8
    lines = table(measured).splitlines()
    assert len(lines) == len(measured.sections_s) + 4 and "steps/s" in lines[-1]


def test_command_prints_a_table_and_writes_json(tmp_path, capsys):
    write_robots(small_set(), tmp_path / "robots", {})
    arguments = ["--robots", str(tmp_path / "robots"), "--preset", "smoke", "--environments", "2", "--horizon", "4"]
    assert profile_learner.main([*arguments, "--iterations", "1", "--json", str(tmp_path / "profile.json")]) == 0
    content = json.loads((tmp_path / "profile.json").read_text())
    assert content["samples"] == 3 * 2 * 4 and set(content["sections_s"]) >= PARTS
    assert "backward" in capsys.readouterr().out
    assert profile_learner.main(["--robots", str(tmp_path / "none")]) == 1
    assert "does not exist" in capsys.readouterr().err
