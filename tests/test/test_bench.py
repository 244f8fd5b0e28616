"""The benchmark against real nodes, as short as it can be: every group gives figures."""

import json
import os
import subprocess
import sys

import pytest

GROUPS = ("step", "latency", "generation", "footprint")


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("group", [*GROUPS, "jitter", "executors"])
def test_a_group_gives_figures(tmp_path, group: str) -> None:
    """Values are there, positive, and of the size that a millisecond or a percent can have."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    file = tmp_path / "bench.json"
    command = [sys.executable, "-m", "hd_controller.bench", "--only", group, "--seconds", "2", "--json", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert result.returncode == 0, result.stderr
    rows = json.loads(file.read_text())["rows"]
    assert rows and all(row["value"] is not None and 0 <= row["value"] < 1e5 for row in rows), rows
    assert all(row["how"] for row in rows)
