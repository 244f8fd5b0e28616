"""Simulation and policy in one process, without ROS: the test of the architecture."""

import subprocess
import sys

import numpy as np

from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_sim_bridge.closed_loop import run_closed_loop


def test_is_deterministic_and_finite(robots) -> None:
    """Two runs with one seed are bitwise equal; another seed gives another run."""
    generator = GeneratorBundle.load(robots.generator)
    for text in robots.texts.values():
        bundle = generate_policy(text, generator)
        first, second = run_closed_loop(bundle, 200, seed=3), run_closed_loop(bundle, 200, seed=3)
        assert np.array_equal(first.qpos, second.qpos) and np.array_equal(first.efforts, second.efforts)
        assert np.isfinite(first.qpos).all()
        assert (np.abs(first.efforts) <= bundle.effort_limits).all()
        assert not np.array_equal(first.qpos, run_closed_loop(bundle, 200, seed=4).qpos)


def test_runs_where_ros_and_torch_cannot_be_imported(robots) -> None:
    """A process in which rclpy, hd_msgs and torch are forbidden runs the whole loop."""
    code = f"""
import sys
for name in ("rclpy", "hd_msgs", "torch"):
    sys.modules[name] = None
from pathlib import Path
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_sim_bridge.closed_loop import run_closed_loop
generator = GeneratorBundle.load({str(robots.generator)!r})
bundle = generate_policy(Path({str(robots.file('quad'))!r}).read_text(), generator)
print(len(run_closed_loop(bundle, 50).qpos))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "50"
