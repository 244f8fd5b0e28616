"""The whole chain by its command: slow, leaves a bundle that a control loop runs."""

import json

import numpy as np
import pytest

from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.urdf_writer import write_urdf
from hd_training import make_robots, mutate_robots, train
from hd_training.demo_robots import demo_robots
from hd_training.robot_set import read_robots


@pytest.mark.slow
def test_smoke_preset_leaves_a_usable_bundle(tmp_path):
    assert train.main(["--preset", "smoke", "--out", str(tmp_path), "--minutes", "0.5"]) == 0
    bundle = GeneratorBundle.load(tmp_path / "generator")
    policy = generate_policy(write_urdf(demo_robots()[0]), bundle)
    assert all(np.isfinite(weight).all() for weight, _ in policy.layers)
    result = json.loads((tmp_path / "evaluation.json").read_text())
    assert set(result["summary"]) >= {"zero", "random", "teacher", "student"}
    assert train.main(["--preset", "smoke", "--out", str(tmp_path)]) == 1


def test_make_and_mutate_robots_are_reproducible(tmp_path):
    for name in ("a", "b"):
        assert make_robots.main([str(tmp_path / name), "--count", "2", "--seed", "3"]) == 0
        parents = ["--robots", str(tmp_path / name)]
        assert mutate_robots.main([str(tmp_path / name / "mutants"), *parents, "--count", "2"]) == 0
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 2 + 4 + 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert len(read_robots([tmp_path / "a"])) == 6


def test_missing_folder_is_one_sentence(tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "o"), "--robots", str(tmp_path / "none"), "--preset", "smoke"]
    assert train.main(arguments) == 1
    assert "does not exist" in capsys.readouterr().err
