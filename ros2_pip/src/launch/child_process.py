"""One running process: its output on the screen and its end."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from launch.console import write_line

_PR_SET_PDEATHSIG = 1
_OUTPUT_GRACE_S = 0.5
_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    """Between fork and exec: ask Linux for a SIGTERM should the launching process vanish."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class ChildProcess:
    """A process in a session of its own, so that the terminal's Ctrl-C reaches it once: through the launcher."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: str | None,
        show: tuple[bool, bool],
        on_exit: Callable[[ChildProcess, int], None],
    ) -> None:
        """Start `command`; `show` says whether its stdout and stderr are shown, from `watch` on.

        `on_exit` is called with this process and its return code in another thread, after the last line of output.

        Raises:
            OSError: the program cannot be started.
        """
        self.name = name
        self.command = list(command)
        self._popen = subprocess.Popen(
            self.command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self.pid = self._popen.pid
        self.started_s = time.monotonic()
        self._readers = [
            threading.Thread(target=self._copy, args=(self._popen.stdout, show[0]), daemon=True),
            threading.Thread(target=self._copy, args=(self._popen.stderr, show[1]), daemon=True),
        ]
        self._waiter = threading.Thread(target=self._wait, args=(on_exit,), daemon=True)

    def watch(self) -> None:
        """Begin to show the output and to wait for the end."""
        for thread in [*self._readers, self._waiter]:
            thread.start()

    def catches(self, number: int) -> bool:
        """Return whether the program has installed a handler of its own for a signal."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return False
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught, 16) >> (number - 1) & 1)

    def signal(self, number: int, *, alone: bool = False) -> None:
        """Send a signal to the process and to those that it started, or to the process alone."""
        if alone:
            self._popen.send_signal(number)
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def _copy(self, pipe: IO[bytes], shown: bool) -> None:
        for line in pipe:
            if shown:
                text = line.decode("utf-8", errors="replace").rstrip("\r\n")
                write_line(f"[{self.name}] {text}")

    def _wait(self, on_exit: Callable[[ChildProcess, int], None]) -> None:
        returncode = self._popen.wait()
        for reader in self._readers:
            reader.join(_OUTPUT_GRACE_S)
        on_exit(self, returncode)
