"""Threads that all do the same piece of work at once, woken a thousand times a second."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue

Work = Callable[[], None]


class WorkerTeam:
    """The calling thread and `workers - 1` helpers.

    Waking a helper takes a microsecond of the caller's time; `ThreadPoolExecutor.submit` takes ten, which on a step of
    half a millisecond would count.
    """

    def __init__(self, workers: int) -> None:
        """Start the helpers; they end with :meth:`close` or when the team is garbage."""
        self._inboxes = [SimpleQueue() for _ in range(workers - 1)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for inbox in self._inboxes:
            threading.Thread(target=_help, args=(inbox, self._done), daemon=True, name="engine worker").start()
        self.close = weakref.finalize(self, _dismiss, self._inboxes)

    def run(self, work: Work) -> None:
        """Every member calls `work`; returns when all have, and raises the first error of any."""
        for inbox in self._inboxes:
            inbox.put(work)
        errors = [_outcome(work)]
        errors += [self._done.get() for _ in self._inboxes]
        for error in errors:
            if error is not None:
                raise error


def _outcome(work: Work) -> BaseException | None:
    try:
        work()
    except BaseException as error:
        return error
    return None


def _help(inbox: SimpleQueue[Work | None], done: SimpleQueue[BaseException | None]) -> None:
    while (work := inbox.get()) is not None:
        outcome = _outcome(work)
        del work  # else an idle helper would keep the engine alive
        done.put(outcome)


def _dismiss(inboxes: list[SimpleQueue]) -> None:
    for inbox in inboxes:
        inbox.put(None)
