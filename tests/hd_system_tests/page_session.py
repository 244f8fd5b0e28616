"""Executes the code blocks of a page one after the other, as a reader would."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hd_system_tests.documentation import ROOT, CodeBlock
from hd_system_tests.processes import wait_until

PRIVATE = (".git", ".hd")
ENDED_BY_INTERRUPT = (0, 130, -signal.SIGINT)


class PageSession:
    """A folder in which the repository's files lie by link, so that what a block writes stays out of the repository."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        """Make the folder; `variables` come on top of this process's environment."""
        self._view, self._logs = folder / "repository", folder / "logs"
        self._view.mkdir(parents=True)
        self._logs.mkdir()
        for entry in ROOT.iterdir():
            if entry.name not in PRIVATE:
                (self._view / entry.name).symlink_to(entry)
        self._environment = {**os.environ, **variables, "PYTHONUNBUFFERED": "1"}
        self._running: list[tuple[CodeBlock, subprocess.Popen, Path]] = []

    def execute(self, block: CodeBlock, deadline_s: float) -> None:
        """Execute a block; fails with its output where it does not do what its mark says."""
        if block.mark == "file":
            (self._view / block.options["file"]).write_text(block.text, encoding="utf-8")
            return
        if "until" in block.options:
            self.end()
        log = self._logs / f"{block.line}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(block), cwd=self._view, env=self._environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        self._running.append((block, process, log))
        if "until" in block.options:
            text = block.options["until"]
            wait_until(lambda: text in log.read_text(errors="replace") or process.poll() is not None, deadline_s,
                       f"{block.place} prints '{text}':\n{log.read_text(errors='replace')[-3000:]}")
            assert process.poll() is None, _report(block, log, f"ended with {process.returncode}")
            return
        try:
            code = process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(_report(block, log, f"not ready within {deadline_s:g} s")) from None
        self._running.remove((block, process, log))
        wanted = int(block.options.get("status", "0"))
        assert code == wanted, _report(block, log, f"exit code {code}, expected {wanted}")
        self._check_output(block, log)

    def end(self) -> None:
        """Ctrl-C to what still runs; it must end in order."""
        while self._running:
            block, process, log = self._running.pop()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                code = process.wait(30.0)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise AssertionError(_report(block, log, "goes on after Ctrl-C")) from None
            assert code in ENDED_BY_INTERRUPT, _report(block, log, f"exit code {code} after Ctrl-C")
            self._check_output(block, log)

    def _command(self, block: CodeBlock) -> list[str]:
        if block.language == "python":
            return [sys.executable, "-c", block.text]
        return ["bash", "-euo", "pipefail", "-c", block.text]

    def _check_output(self, block: CodeBlock, log: Path) -> None:
        text = log.read_text(errors="replace")
        assert "Traceback" not in text, _report(block, log, "a traceback")
        wanted = block.options.get("prints", "")
        assert wanted in text, _report(block, log, f"did not print '{wanted}'")

    def __enter__(self) -> "PageSession":
        """Use as a context manager."""
        return self

    def __exit__(self, *failure: object) -> None:
        """End what still runs, after a failure by force."""
        if failure[0] is None:
            self.end()
        for _, process, _ in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _report(block: CodeBlock, log: Path, problem: str) -> str:
    return f"{block.place}: {problem}\n{block.text}---\n{log.read_text(errors='replace')[-4000:]}"
