"""`./hd test`: runs all tests through colcon and counts the results."""
from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import signals
from browser_install import browsers_folder
from console import say
from layout import PACKAGE_FOLDERS, Layout
from workspace import Workspace

OWN_TESTS = {"bootstrap": "bootstrap/test", "ros2_pip": "ros2_pip/test"}
_EVERY_TIER = "slow or not slow"


@dataclass(frozen=True)
class Counts:
    """Numbers of tests by result; an error counts as failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Add up."""
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        """Return the closing line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_results(path: Path) -> Counts:
    """Count the tests of a JUnit file.

    Raises:
        OSError, ElementTree.ParseError: the file is not there or is no XML.
    """
    total = Counts()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            total += Counts(failed=1)
        elif case.find("skipped") is not None:
            total += Counts(skipped=1)
        else:
            total += Counts(passed=1)
    return total


class WorkspaceTests:
    """One run of the tests."""

    def __init__(self, layout: Layout, workspace: Workspace, environment: dict[str, str]) -> None:
        """`environment` is that of the sourced workspace."""
        self._layout = layout
        self._workspace = workspace
        self._environment = {**environment, "CI": os.environ.get("CI", "true"), "PYTHONDONTWRITEBYTECODE": "1",
                             "PLAYWRIGHT_BROWSERS_PATH": str(browsers_folder(layout))}

    def run(self, *, slow: bool, packages: Sequence[str], own_tests: bool) -> int:
        """Run the tests, print the closing line last, and return the exit code.

        `packages` restricts the run; `own_tests` says whether those of the bootstrap and of ros2_pip can run here.
        """
        signals.heed_interrupts()  # tests press Ctrl-C
        results: dict[str, Path] = {}
        healthy = True
        for name in self._own(packages, own_tests):
            results[name] = self._layout.build / name / "pytest.xml"
            healthy = self._run_own(name, results[name], slow) and healthy
        with_tests = self._packages(packages)
        if with_tests:
            results.update({name: self._layout.build / name / "pytest.xml" for name in with_tests})
            healthy = self._run_colcon(with_tests, results, slow) and healthy
        return self._close(results, healthy)

    def _own(self, packages: Sequence[str], own_tests: bool) -> list[str]:
        names = [name for name, folder in OWN_TESTS.items() if (self._layout.root / folder).is_dir()]
        allowed = [name for name in names if own_tests or name != "ros2_pip"]
        return [name for name in allowed if not packages or name in packages]

    def _packages(self, packages: Sequence[str]) -> list[str]:
        """Return the names of the Python packages that have tests."""
        names = {"tests": "hd_system_tests"}
        found = []
        for folder in PACKAGE_FOLDERS:
            name = names.get(folder, folder)
            if any((self._layout.root / folder / "test").glob("test_*.py")) and (not packages or name in packages):
                found.append(name)
        return found

    def _run_own(self, name: str, result: Path, slow: bool) -> bool:
        result.parent.mkdir(parents=True, exist_ok=True)
        result.unlink(missing_ok=True)
        command = [str(self._layout.python), "-m", "pytest", "-q", "-ra", f"--junit-xml={result}"]
        command += ["-p", "no:cacheprovider", "-m", _EVERY_TIER if slow else "not slow", OWN_TESTS[name]]
        return self._call(command) in (0, 1)

    def _run_colcon(self, packages: Sequence[str], results: dict[str, Path], slow: bool) -> bool:
        for name in packages:
            results[name].unlink(missing_ok=True)
        command = self._workspace.colcon("test", "--executor", "sequential", "--packages-select", *packages)
        command += ["--event-handlers", "console_direct+", "--return-code-on-test-failure"]
        if slow:
            command += ["--pytest-args", " -m", _EVERY_TIER]
        return self._call(command) in (0, 1)

    def _call(self, command: Sequence[str]) -> int:
        done = subprocess.run(
            command, cwd=self._layout.root, env=self._environment, stdin=subprocess.DEVNULL, check=False
        )
        return done.returncode

    def _close(self, results: dict[str, Path], healthy: bool) -> int:
        """Print the counts of each package and, as the last line, their sum."""
        total = Counts()
        for name, path in results.items():
            try:
                counts = count_results(path)
            except (OSError, ElementTree.ParseError):
                say(f"{name}: no results; its tests did not run to their end")
                healthy = False
                continue
            say(f"{name}: {counts}")
            total += counts
        ran = total.passed + total.failed
        if not ran:
            say("no test ran")
        print(total, flush=True)
        return 0 if healthy and ran and not total.failed else 1
