"""How every command ends: a failure is one sentence, Ctrl-C one line, and neither is a traceback."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable

from hd_controller.errors import HdError

FAILED, INTERRUPTED = 1, 130


def mannered(main: Callable[[list[str] | None], int]) -> Callable[..., int]:
    """Wrap the `main` of a command, which takes its arguments or None for those of the process.

    HdError: its sentence on standard error and exit code 1. Ctrl-C: one line and 130. A reader of the output that has
    gone, as `head` does: 1, in silence.
    """

    @functools.wraps(main)
    def run(arguments: list[str] | None = None) -> int:
        try:
            return main(arguments)
        except HdError as problem:
            print(f"error: {problem}", file=sys.stderr)
            return FAILED
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED

    return run
