"""What MuJoCo warns of is a line of the bridge's log."""

from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from hd_controller.morphology import Morphology
from hd_sim_bridge.simulation import Simulation


def test_a_warning_of_the_physics_goes_to_the_log_and_to_no_file(
        body: Morphology, tmp_path: Path, monkeypatch, capfd) -> None:
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    from hd_sim_bridge import bridge_reports

    told: list[str] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bridge_reports, "NodeDiagnostics", lambda node, values: SimpleNamespace(trouble=told.append))
    lines: list[str] = []
    logger = SimpleNamespace(warning=lines.append)
    bridge_reports.BridgeReports(SimpleNamespace(get_logger=lambda: logger), dict)
    try:
        simulation = Simulation(body)
        simulation.data.qvel[0] = np.nan
        assert not simulation.step(np.zeros(len(body.joint_names)))
    finally:
        mujoco.set_mju_user_warning(None)
    assert lines[0].startswith("MuJoCo warns: Nan, Inf or huge value") and told[:1] == lines[:1]
    assert not list(tmp_path.iterdir()) and capfd.readouterr() == ("", "")
