"""Builds the packages with colcon, and knows the environment to run them in."""
from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from layout import Layout
from pip_install import WHEELS_GUARD, site_packages_of
from prerequisites import check_tools
from problem import SetupProblem
from steps import Step, StepRunner, digest

_READ_WHOLE = {"package.xml", "setup.py", "setup.cfg", "CMakeLists.txt", "colcon.meta"}
_INTERFACES = {".msg", ".srv", ".action"}
_LEFTOVERS = (".pyc", "~", ".swp", "MUJOCO_LOG.TXT")  # written by Python, editors and MuJoCo, never installed
_IGNORED = {"__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", "test"}


class Workspace:
    """The colcon workspace of this repository."""

    def __init__(self, layout: Layout, runner: StepRunner, distribution: str | None) -> None:
        """`distribution` is the name of the sourced ROS 2, or None where wheels take its place."""
        self._layout = layout
        self._runner = runner
        self._distribution = distribution

    def build(self) -> None:
        """Build when an interface, a package's set-up or its list of files changed.

        Modules, launch files and data are linked into the install folder: editing them needs no build. An installation
        that stands alone gets copies, and is built again when any file changed.
        """
        key = digest([self._distribution or "wheels", *self._stamped(), *self._build_inputs()])
        self._runner.run(Step("build", "building the packages", key, self._colcon_build))

    def environment(self) -> dict[str, str]:
        """Return the environment of a shell in which the workspace is sourced."""
        script = f'source "{self._layout.install}/setup.bash" && env -0'
        done = subprocess.run(
            ["bash", "-c", script], env=self.build_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SetupProblem(f"{self._layout.install}/setup.bash failed: run ./hd clean and try again")
        pairs = (item.partition("=") for item in done.stdout.split("\0") if item)
        return {name: value for name, _, value in pairs if name not in ("_", "SHLVL")}

    def build_environment(self) -> dict[str, str]:
        """Return the environment that colcon runs in: that of the caller with the virtual environment in front."""
        venv = self._layout.venv
        environment = dict(os.environ)
        environment["VIRTUAL_ENV"] = str(venv)
        environment["PATH"] = _in_front(str(venv / "bin"), environment.get("PATH", ""))
        environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        if not environment.get("HOME"):
            environment.setdefault("ROS_LOG_DIR", str(self._layout.log / "ros"))  # else rclpy fails to start
        if self._distribution is None:
            environment.pop("PYTHONHOME", None)
            for name in ("PYTHONPATH", "LD_LIBRARY_PATH"):
                _drop(environment, name, str(self._layout.home))
            environment["AMENT_PREFIX_PATH"] = str(venv)
            environment["CMAKE_PREFIX_PATH"] = str(venv)
            bundled = sorted(str(path) for path in site_packages_of(self._layout).glob("ros_*.libs"))
            libraries = [str(venv / "lib"), *bundled]
            for folder in reversed(libraries):
                environment["LD_LIBRARY_PATH"] = _in_front(folder, environment.get("LD_LIBRARY_PATH", ""))
            environment[WHEELS_GUARD] = "1"  # else each Python starts twice to set the line above
        return environment

    def colcon(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line of a colcon verb for this workspace."""
        layout = self._layout
        folders = [str(layout.root / folder) for folder in layout.package_folders]
        return [
            *(str(layout.python), "-m", "colcon", "--log-base", str(layout.log), verb),
            *("--base-paths", *folders, "--build-base", str(layout.build), "--install-base", str(layout.install)),
            *("--merge-install", *arguments),
        ]

    def _colcon_build(self, interrupted: bool) -> None:
        check_tools()
        if interrupted:
            for folder in (self._layout.build, self._layout.install):
                shutil.rmtree(folder, ignore_errors=True)
        python = f" -DPython3_EXECUTABLE={self._layout.python}"
        linked = ["--symlink-install"] if self._layout.prefix is None else []
        command = self.colcon("build", *linked, "--cmake-args", python)
        self._layout.log.mkdir(parents=True, exist_ok=True)
        log = self._layout.log / "build.log"
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                command,
                cwd=self._layout.root,
                env=self.build_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            text = log.read_text(encoding="utf-8", errors="replace")
            print("\n".join(text.splitlines()[-30:]))
            if "No space left on device" in text:
                raise SetupProblem("the disk is full: free some space and run the command again")
            raise SetupProblem(f"colcon build failed: see the lines above and {log}")
        _remove_dangling_links(self._layout.install / "share")

    def _stamped(self) -> list[Path]:
        return [self._layout.stamps / name for name in ("venv", "ros")]

    def _build_inputs(self) -> Iterable[str | Path]:
        """Yield the path of every file of the packages, and the content of those that a build reads."""
        layout = self._layout
        yield layout.root / "colcon.meta"
        for folder in (*layout.package_folders, "launch"):
            for path in _files(layout.root / folder):
                yield str(path.relative_to(layout.root))
                if layout.prefix is not None or path.name in _READ_WHOLE or path.suffix in _INTERFACES:
                    yield path


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _IGNORED and not name.endswith(".egg-info"))
        found += [Path(parent) / name for name in sorted(names) if not name.endswith(_LEFTOVERS)]
    return found


def _remove_dangling_links(folder: Path) -> None:
    """Remove links to files that are gone from the sources, such as a robot that was renamed."""
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def _in_front(item: str, path: str) -> str:
    return os.pathsep.join([item, *(other for other in path.split(os.pathsep) if other and other != item)])


def _drop(environment: dict[str, str], name: str, below: str) -> None:
    """Remove from a path variable the folders below `below`."""
    kept = [item for item in environment.get(name, "").split(os.pathsep) if item and not item.startswith(below)]
    environment.pop(name, None)
    if kept:
        environment[name] = os.pathsep.join(kept)
