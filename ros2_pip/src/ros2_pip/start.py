"""What the `ros2` script runs: Ctrl-C waits while the command is imported, which would answer with a traceback."""
from __future__ import annotations

import importlib
import signal


def main() -> int:
    """Run the command; return its exit code. It lets Ctrl-C in as soon as it can answer."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return importlib.import_module("ros2_pip.command").main()
