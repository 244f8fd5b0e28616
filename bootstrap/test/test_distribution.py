"""A ROS 2 distribution is used only where it really is one."""
import os
import sys
from pathlib import Path

import pytest
from distribution import distribution_name


@pytest.fixture
def distribution(tmp_path: Path) -> dict[str, str]:
    """The environment of a made-up distribution: the command `ros2`, and packages launch and rclpy."""
    command = tmp_path / "bin" / "ros2"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    for name in ("launch/__init__.py", "launch/actions.py", "rclpy/__init__.py"):
        file = tmp_path / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    path = os.pathsep.join([str(command.parent), "/usr/bin", "/bin"])
    return {"ROS_DISTRO": "jazzy", "PATH": path, "PYTHONPATH": str(tmp_path / "site")}


def python() -> str:
    """The interpreter without this environment's packages."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def test_a_whole_distribution_is_found(distribution):
    assert distribution_name(distribution, python()) == "jazzy"


@pytest.mark.parametrize("missing", ["ROS_DISTRO", "PYTHONPATH"])
def test_a_part_of_one_is_not_enough(distribution, missing):
    del distribution[missing]
    assert distribution_name(distribution, python()) is None


def test_without_the_command_it_is_none(distribution, tmp_path):
    (tmp_path / "bin" / "ros2").unlink()
    assert distribution_name(distribution, python()) is None


def test_a_folder_named_launch_is_not_the_package(distribution, tmp_path):
    (tmp_path / "site" / "launch" / "actions.py").unlink()
    assert distribution_name(distribution, python()) is None
