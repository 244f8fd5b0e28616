"""The real-time benchmark on real launch files, as short as it can be."""

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ros2") is None, reason="needs the ros2 command (./hd test, or a sourced ROS 2)"),
]
COMMAND = [sys.executable, "-m", "hd_sim_bridge.bench_real_time"]


def run(*arguments: str) -> subprocess.CompletedProcess:
    """The command with the paths of this process."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=590, check=False,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def test_one_robot_and_two_give_figures(tmp_path):
    """Factors are there and no robot is faster than it was asked to be."""
    file = tmp_path / "factor.json"
    result = run("--robots", "tripod", "quadruped", "--seconds", "3", "--json", str(file))
    assert result.returncode == 0, result.stderr
    rows = {(row["group"], row["name"]): row["value"] for row in json.loads(file.read_text())["rows"]}
    assert {group for group, _ in rows} == {"one robot", "2 robots"} and len(rows) == 10
    assert None not in rows.values(), result.stdout
    for group in ("one robot", "2 robots"):
        assert 0 <= rows[group, "lowest second of any robot"] <= rows[group, "real-time factor, slowest robot"] + 0.05
        assert 0.1 < rows[group, "real-time factor, slowest robot"] < 1.05
        assert 0 < rows[group, "control step p50"] <= rows[group, "control step p99"]


def test_a_robot_that_is_not_there_is_told_of_before_anything_is_measured():
    result = run("--robots", "unicorn", "--seconds", "1")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error:") and "unicorn" in result.stderr
