"""RViz: its configuration names what the simulation publishes, and `rviz:=true` starts it where it is installed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hd_controller.shipped_files import shipped_robots
from hd_controller.xml_document import parse_xml
from hd_system_tests.domains import own_domain
from hd_system_tests.processes import wait_until

CONFIGURATION = Path(__file__).resolve().parents[2] / "launch" / "sim.rviz"
RECORDER = '#!/bin/sh\necho "$@" > "$0.called"\nexec sleep 600\n'


def test_the_configuration_shows_robot_transforms_ground_and_odometry() -> None:
    """With the topics and frames of the simulation; RViz itself is not on PyPI."""
    manager = yaml.safe_load(CONFIGURATION.read_text())["Visualization Manager"]
    displays = {display["Class"].split("/")[1]: display for display in manager["Displays"]}
    assert set(displays) == {"Grid", "RobotModel", "TF", "Odometry"}
    assert all(display["Enabled"] for display in displays.values())
    description = displays["RobotModel"]["Description Topic"]
    assert (description["Value"], description["Durability Policy"]) == ("robot_description", "Transient Local")
    assert displays["Odometry"]["Topic"]["Value"] == "odom"
    assert manager["Global Options"]["Fixed Frame"] == displays["Grid"]["Reference Frame"] == "odom"
    followed = manager["Views"]["Current"]["Target Frame"]
    for file in shipped_robots().values():
        assert followed in {link.get("name") for link in parse_xml(file.read_text()).findall("link")}


def _launched(folder: Path, path: str) -> str:
    """Start the simulation with RViz asked for; what it printed when the robot ran and Ctrl-C had ended it."""
    log = folder / "log.txt"
    with own_domain() as domain, log.open("wb") as output:
        environment = {**os.environ, "PATH": path, "ROS_DOMAIN_ID": str(domain), "ROS_LOG_DIR": str(folder / "ros")}
        command = ["ros2", "launch", "hd_controller", "sim.launch.py", "rviz:=true", "namespace:=left"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            wait_until(lambda: "run: running" in log.read_text() or process.poll() is not None, 90, "the robot runs")
            process.send_signal(signal.SIGINT)
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return log.read_text()


@pytest.mark.integration
def test_rviz_is_started_with_the_configuration_and_the_namespace(tmp_path: Path) -> None:
    """The program that is called rviz2 here notes its arguments."""
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    program = tmp_path / "rviz2"
    program.write_text(RECORDER)
    program.chmod(0o755)
    text = _launched(tmp_path, f"{tmp_path}:{os.environ['PATH']}")
    called = (tmp_path / "rviz2.called").read_text()
    assert "sim.rviz" in called and "__ns:=/left" in called and "/tf:=tf" in called and "use_sim_time:=true" in called
    assert Path(called.split()[1]).is_file() and "run: running" in text


@pytest.mark.integration
def test_without_rviz_a_sentence_says_so_and_the_simulation_goes_on(tmp_path: Path) -> None:
    """PATH holds everything but rviz2."""
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    kept = [folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "rviz2").exists()]
    text = _launched(tmp_path, os.pathsep.join([str(Path(sys.executable).parent), *kept]))
    assert "rviz2 is not installed" in text and "run: running" in text
