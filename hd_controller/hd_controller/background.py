"""Work beside the executor thread: one worker, only the newest item counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any


class LatestWorker:
    """Runs `work(item)` in a thread and hands the outcome to `done(item, result, error)` on the executor thread.

    While an item is being worked on, at most one more waits: a newer one replaces it. `post` is the executor's
    `create_task`, which may be called from any thread. `done` is not called for an item that was replaced, nor when a
    newer item has arrived meanwhile.
    """

    def __init__(self, work: Callable[[Any], Any], done: Callable[[Any, Any, Exception | None], None],
                 post: Callable[[Callable[[], None]], Any]) -> None:
        self._work = work
        self._done = done
        self._post = post
        self._condition = threading.Condition()
        self._waiting: list[Any] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def submit(self, item: Any) -> None:
        """Work on this item next; an item that still waits is forgotten."""
        with self._condition:
            self._waiting = [item]
            self._condition.notify()

    def discard(self) -> None:
        """Forget the item that waits, if there is one."""
        with self._condition:
            self._waiting = []

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread; an item in progress is given `timeout_s` to finish and its outcome is dropped."""
        with self._condition:
            self._closed = True
            self._waiting = []
            self._condition.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        """Thread body: wait, work, post the outcome."""
        while True:
            with self._condition:
                while not self._waiting and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                item = self._waiting.pop()
            result: Any = None
            error: Exception | None = None
            try:
                result = self._work(item)
            except Exception as problem:  # handed on: the thread must survive any item
                error = problem
            with self._condition:
                stale = bool(self._waiting) or self._closed
            if not stale:
                self._post(partial(self._done, item, result, error))
            item = result = error = None
