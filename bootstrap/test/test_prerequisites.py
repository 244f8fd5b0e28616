"""A missing prerequisite ends `./hd` with one sentence that names it and the package, before anything is made."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import prerequisites
import pytest
from problem import SetupProblem

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "dirname", "readlink", "env", "cmake", "g++", "make")


@pytest.fixture
def clone(tmp_path):
    """A copy of what `./hd` needs, with nothing set up."""
    folder = tmp_path / "clone"
    folder.mkdir()
    shutil.copy(ROOT / "hd", folder)
    shutil.copytree(ROOT / "bootstrap", folder / "bootstrap", ignore=shutil.ignore_patterns("test", "__pycache__"))
    return folder


def run_hd(clone: Path, *, without: str = "", **variables: str) -> subprocess.CompletedProcess:
    """Run `./hd exec true` with a PATH that lacks one tool."""
    tools = clone.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        found = shutil.which(name)
        if name != without and found is not None:
            (tools / name).symlink_to(found)
    base = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    environment = {"PATH": str(tools), "HD_PYTHON": base, "HOME": str(clone.parent), **variables}
    return subprocess.run([clone / "hd", "exec", "true"], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", ["cmake", "g++", "make"])
def test_a_missing_program_is_named_with_its_package(clone, program):
    done = run_hd(clone, without=program)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"hd: {program} is missing: install the package {program}."]
    assert not (clone / ".hd" / "venv").exists()


def test_an_unsupported_python_is_named(clone, tmp_path):
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/bash\nexit 1\n")
    old.chmod(0o755)
    done = run_hd(clone, HD_PYTHON=str(old))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no Python 3.10 to 3.13 found" in done.stderr and "python3-venv" in done.stderr


@pytest.mark.parametrize("retries", ["0", "1"])
def test_without_network_one_sentence_says_so(clone, retries):
    dead = "http://127.0.0.1:9/simple"
    pip = {"PIP_INDEX_URL": dead, "PIP_EXTRA_INDEX_URL": dead, "PIP_RETRIES": retries, "PIP_CONFIG_FILE": "/dev/null"}
    done = run_hd(clone, **pip)
    assert done.returncode == 1
    assert "check the network connection" in done.stderr.splitlines()[-1]
    assert not (clone / ".hd" / "stamps" / "ros").exists()


def test_too_little_disk_space_is_told(tmp_path):
    with pytest.raises(SetupProblem, match="GiB free but the set-up needs"):
        prerequisites.check_space(tmp_path, needed_bytes=2**60)
    prerequisites.check_space(tmp_path, needed_bytes=1)


def test_a_processor_without_wheels_needs_a_distribution(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(SetupProblem, match=r"no ROS 2 wheels for aarch64.*ros-jazzy-ros-base"):
        prerequisites.check_machine(with_ros_wheels=True)
    prerequisites.check_machine(with_ros_wheels=False)


def test_missing_headers_and_missing_venv_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(SetupProblem, match="python3-dev"):
        prerequisites.check_tools()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SetupProblem, match="python3-venv"):
        prerequisites.check_tools()


def test_the_scripts_can_be_executed():
    assert os.access(ROOT / "hd", os.X_OK)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_a_path_with_a_space_is_refused(tmp_path):
    with pytest.raises(SetupProblem, match="a space in it"):
        prerequisites.check_path(tmp_path / "my robots")
    prerequisites.check_path(Path("/opt/robots"))
