"""Installs what a robot's computer needs into a folder that stands alone: no torch, no training, no simulation.

`deploy/install.sh` starts it with a supported Python.
"""
from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from console import say
from distribution import distribution_name
from environment_setup import EnvironmentSetup
from layout import Layout
from pip_install import WHEELS_GUARD, site_packages_of
from problem import SetupProblem
from steps import StepRunner
from workspace import Workspace

DEFAULT_PREFIX = Path("/opt/hyperdistill")
_EXPORTED = ("AMENT_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PATH", WHEELS_GUARD, "ROS_DISTRO", "ROS_VERSION",
             "ROS_PYTHON_VERSION")
_RUN = """\
#!/usr/bin/env bash
# Runs a program of hd_controller (controller_node, generator_node, doctor, export_policy, ...) or any other command,
# such as ros2, in this installation: run PROGRAM [arguments].
set -euo pipefail
prefix="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
if [ $# -eq 0 ]; then
    echo "usage: run PROGRAM [arguments]; programs: $(ls "$prefix/install/lib/hd_controller" | tr '\\n' ' ')" >&2
    exit 2
fi
source "$prefix/environment.sh"
program="$prefix/install/lib/hd_controller/$1"
if [ -x "$program" ]; then
    shift
    exec "$program" "$@"
fi
exec "$@"
"""


def install(layout: Layout) -> None:
    """Set up, build, and write the files that start programs; a second run brings an installation up to date.

    Raises:
        SetupProblem: something is missing; one sentence.
    """
    assert layout.prefix is not None
    try:
        layout.prefix.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupProblem(f"{layout.prefix} cannot be made ({error.strerror}): choose --prefix or use sudo") from error
    distribution = distribution_name()
    runner = StepRunner(layout.stamps)
    EnvironmentSetup(layout, runner, distribution).run(training=False)
    workspace = Workspace(layout, runner, distribution)
    workspace.build()
    _write(layout.prefix / "environment.sh", environment_script(workspace.environment(), layout.prefix))
    _write(layout.prefix / "run", _RUN, executable=True)
    write_service_files(layout.root / "deploy" / "systemd", layout.prefix)
    shutil.rmtree(layout.build, ignore_errors=True)
    check_content(layout)
    manifest = {"revision": _revision(layout.root), "ros": distribution or "wheels", "python": sys.version.split()[0],
                "packages": _packages(layout)}
    _write(layout.prefix / "installed.json", json.dumps(manifest, indent=1) + "\n")


def environment_script(environment: Mapping[str, str], prefix: Path) -> str:
    """Return the lines that a shell sources; the caller's PATH stays behind the installation's."""
    lines = ["# Environment of this installation; written by deploy/install.sh."]
    for name in _EXPORTED:
        value = environment.get(name)
        if name == "PATH" and value:
            own = [folder for folder in value.split(os.pathsep) if folder.startswith((str(prefix), "/opt/ros"))]
            lines.append(f'export PATH={shlex.quote(os.pathsep.join(own))}:"${{PATH:-/usr/bin:/bin}}"')
        elif value:
            lines.append(f"export {name}={shlex.quote(value)}")
    return "\n".join(lines) + "\n"


def write_service_files(source: Path, prefix: Path) -> None:
    """Write the systemd units and their settings into PREFIX/systemd; where they go from there is the operator's."""
    (prefix / "systemd").mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        text = path.read_text(encoding="utf-8").replace(str(DEFAULT_PREFIX), str(prefix))
        _write(prefix / "systemd" / path.name, text)


def check_content(layout: Layout) -> None:
    """Raise SetupProblem when torch, training or simulation got in, or a link leads back to the repository."""
    packages = {name.lower() for name in _packages(layout)}
    unwanted = sorted(packages & {"torch", "hd_training", "hd-training", "hd_sim_bridge", "hd-sim-bridge"})
    if unwanted:
        raise SetupProblem(f"{layout.prefix} holds {', '.join(unwanted)}: remove the folder and install again")
    linked = [path for path in layout.install.rglob("*") if path.is_symlink() and not path.exists()]
    linked += [path for path in site_packages_of(layout).glob("*.pth") if str(layout.root) in path.read_text()]
    if linked:
        raise SetupProblem(f"{linked[0]} leads to {layout.root}: remove {layout.prefix} and install again")


def size_bytes(folder: Path) -> int:
    """Return the bytes of all files below the folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _packages(layout: Layout) -> dict[str, str]:
    folders = [str(site_packages_of(layout)), *map(str, layout.install.glob("lib/python*/site-packages"))]
    found = importlib.metadata.distributions(path=folders)
    return {item.metadata["Name"]: item.version for item in sorted(found, key=lambda item: item.metadata["Name"])}


def _revision(root: Path) -> str:
    done = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def _write(path: Path, text: str, *, executable: bool = False) -> None:
    written = path.with_name(f".{path.name}.new")
    written.write_text(text, encoding="utf-8")
    written.chmod(0o755 if executable else 0o644)
    written.rename(path)


def main() -> int:
    """Install; every foreseen failure is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="deploy/install.sh", description=__doc__.splitlines()[0],
        epilog="example: sudo deploy/install.sh --prefix /opt/hyperdistill")
    parser.add_argument("--prefix", type=Path, default=DEFAULT_PREFIX, help="folder to install into (%(default)s)")
    arguments = parser.parse_args()
    began = time.monotonic()
    layout = Layout(Path(__file__).resolve().parent.parent, arguments.prefix.absolute())
    try:
        install(layout)
    except SetupProblem as problem:
        print(f"install: {problem}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("install: interrupted; the next run continues where this one stopped.", file=sys.stderr)
        return 130
    size_mb = size_bytes(layout.home) / 1e6
    say(f"{layout.home}: {size_mb:.0f} MB, {time.monotonic() - began:.0f} s; next: {layout.home}/run doctor")
    return 0


if __name__ == "__main__":
    sys.exit(main())
