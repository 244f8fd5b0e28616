"""The doctor beside a running robot: its states are measured and their joints compared with the policy's."""

import json
import os
import subprocess
import sys

import pytest


def doctor(system, *arguments: str) -> tuple[int, dict[str, list[str]]]:
    """Exit code, and texts by level."""
    command = [sys.executable, "-m", "hd_controller.doctor", "--json", "--seconds", "0.2", *arguments]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(system.domain), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    levels: dict[str, list[str]] = {"ok": [], "warning": [], "missing": []}
    for finding in json.loads(done.stdout)["findings"]:
        levels[finding["level"]].append(finding["text"])
    return done.returncode, levels


def has(lines: list[str], words: str) -> bool:
    """Whether a line holds the words."""
    return any(words in line for line in lines)


@pytest.mark.integration
def test_without_a_robot_messages_travel_and_nothing_is_missing(system) -> None:
    """A round trip to a second process is measured."""
    code, levels = doctor(system)
    assert code == 0, levels
    assert has(levels["ok"] + levels["warning"], "round trip to a second process: p50")
    assert has(levels["ok"], "no robot is running here")


@pytest.mark.integration
def test_a_running_robot_is_measured_and_another_is_told_apart(system, robots) -> None:
    """The right robot file: nothing missing; a wrong one: its joints are named."""
    from hd_system_tests.probe import Probe

    system.start("bridge_node")
    system.start("description_node", robot=robots.file("quad"))
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: probe.joint_states and probe.odometry, 60, "the robot shows its states")
    generator = ("--generator", str(robots.generator), "--listen", "5")
    code, levels = doctor(system, "--robot", str(robots.file("quad")), *generator)
    assert code == 0, levels
    assert has(levels["ok"] + levels["warning"], "joint_states at ")
    assert has(levels["ok"], "1 publishers of robot_description") and has(levels["ok"], "1 publishers of odom")
    for _ in range(2):
        system.start("controller_node", rearm_on_swap="manual")
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: probe.node.count_publishers("joint_commands") == 2, 60, "two controllers")
    code, levels = doctor(system, "--robot", str(robots.file("tripod")), *generator)
    assert has(levels["missing"], "2 publishers of joint_commands"), levels
    assert code == 1 and has(levels["missing"], "their joints are not those of the policy"), levels
