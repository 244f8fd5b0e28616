"""An installation for a robot: stands alone, holds no torch and no training; its systemd units are sound."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from layout import Layout
from problem import SetupProblem
from robot_install import check_content, environment_script, write_service_files

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"


def settings_of(path: Path) -> dict[str, str]:
    """Return the settings of a unit file, the last one of each name."""
    lines = [line for line in path.read_text().splitlines() if line[:1].isalpha()]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path):
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)
    write_service_files(UNITS, tmp_path)
    units = sorted(str(path) for path in (tmp_path / "systemd").iterdir() if path.suffix in (".service", ".target"))
    assert len(units) == 3
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (tmp_path / "run").unlink()  # the check is one that can fail
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and str(tmp_path / "run") in done.stderr


@pytest.mark.parametrize("node", ["controller", "generator"])
def test_units_stop_by_sigint_are_watched_and_limited(node):
    settings = settings_of(UNITS / f"hyperdistill-{node}.service")
    assert (settings["Type"], settings["KillSignal"], settings["KillMode"]) == ("notify", "SIGINT", "mixed")
    assert int(settings["WatchdogSec"]) > 0 and int(settings["TimeoutStopSec"]) > 0
    assert settings["MemoryMax"] and settings["TasksMax"] and settings["NoNewPrivileges"] == "yes"
    assert settings["ExecStart"].startswith(f"/opt/hyperdistill/run {node}_node --ros-args")


def test_the_environment_is_that_of_the_installation_and_the_callers_path_stays(tmp_path):
    prefix = tmp_path / "a b"
    environment = {"PATH": f"{prefix}/venv/bin:/somewhere/else", "PYTHONPATH": f"{prefix}/site", "SECRET": "x"}
    (tmp_path / "environment.sh").write_text(environment_script(environment, prefix))
    script = f'source "{tmp_path}/environment.sh"; echo "$PATH|$PYTHONPATH|${{SECRET:-none}}"'
    done = subprocess.run(["/bin/bash", "-c", script], env={"PATH": "/bin"}, capture_output=True, text=True, check=True)
    assert done.stdout == f"{prefix}/venv/bin:/bin|{prefix}/site|none\n"


def test_training_in_an_installation_is_refused(tmp_path):
    layout = Layout(ROOT, tmp_path)
    site = layout.install / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    check_content(layout)
    package = site / "hd_training-0.1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: hd_training\nVersion: 0.1.0\n")
    with pytest.raises(SetupProblem, match="holds hd_training: remove the folder"):
        check_content(layout)


@pytest.mark.slow
def test_a_real_installation_works_without_the_repository(tmp_path):
    """Install from a copy, remove the copy, then diagnose and export; needs a package index."""
    copy, prefix = tmp_path / "copy", tmp_path / "installed"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".hd", ".git", "runs", "__pycache__"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "AMENT", "_ROS"))}
    environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    environment.pop("LD_LIBRARY_PATH", None)
    subprocess.run([copy / "deploy" / "install.sh", "--prefix", prefix], env=environment, cwd="/", check=True)
    shutil.rmtree(copy)
    manifest = json.loads((prefix / "installed.json").read_text())
    packages = {name.replace("-", "_") for name in manifest["packages"]}
    assert "torch" not in packages and {"mujoco", "hd_controller"} <= packages

    def run(*command: str) -> subprocess.CompletedProcess:
        return subprocess.run([prefix / "run", *command], env=environment, cwd="/", capture_output=True, text=True,
                              timeout=120, check=False)

    report = run("doctor", "--json")
    assert report.returncode == 0, report.stdout + report.stderr
    exported = run("export_policy", "tripod", "--format", "c", "--out", str(tmp_path / "c"))
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "c" / "hd_policy.c").stat().st_size > 100_000
