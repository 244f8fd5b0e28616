"""How a policy gets from a message or a file to the controller: matched to the description, checked beside the loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from hd_controller.background import LatestWorker
from hd_controller.controller import Controller, PreparedPolicy, prepare_policy
from hd_controller.errors import HdError
from hd_controller.runnable_policy import RunnablePolicy

UNMATCHED_S = 1.0
"""A policy may come so long before its description: both travel on topics of their own."""


class PolicyIntake:
    """Keeps the newest policy until its description is there, and prepares it in a thread of its own.

    Policies come as items with a `description_sha256`, such as messages; `policy_of` makes the policy of an item, in
    that thread. `ready` gets a policy that passed every check, on the executor thread and between two control steps;
    `refuse` gets the one sentence why another did not; `trouble` the one on a policy whose description has not come.
    """

    def __init__(self, controller: Controller, ready: Callable[[PreparedPolicy], None], refuse: Callable[[str], None],
                 trouble: Callable[[str], None], post: Callable[[Callable[[], None]], Any],
                 policy_of: Callable[[Any], RunnablePolicy]) -> None:
        self._controller = controller
        self._ready = ready
        self._refuse = refuse
        self._trouble = trouble
        self._post = post
        self._policy_of = policy_of
        self._timer: threading.Timer | None = None
        self._newest: Any = None
        self._worker = LatestWorker(self._prepare, self._prepared, post)

    def close(self) -> None:
        """End the threads."""
        self._forget_timer()
        self._worker.close()

    def description(self, sha256: str) -> None:
        """The robot has changed: what is being prepared is for another one, unless it was faster than this news."""
        self._worker.discard()
        if self._newest is not None and self._newest.description_sha256 == sha256:
            self._worker.submit(self._newest)

    def policy(self, policy: Any) -> None:
        """Take a policy if it is for the newest description; one that comes before any description waits for it."""
        self._newest = policy
        self._forget_timer()
        if policy.description_sha256 == self._controller.modes.description_sha256:
            self._worker.submit(policy)
        else:
            self._timer = threading.Timer(UNMATCHED_S, self._post, [partial(self._check_matched, policy)])
            self._timer.daemon = True
            self._timer.start()

    def _check_matched(self, policy: Any) -> None:
        """Executor thread: the description of a policy has had its time to come."""
        wanted = self._controller.modes.description_sha256
        if wanted and policy is self._newest and policy.description_sha256 != wanted:
            self._trouble(f"policy for description {policy.description_sha256[:12]} is not used: the newest "
                          f"robot_description is {wanted[:12]}")

    def _forget_timer(self) -> None:
        """Nothing is to be said of the policy before this one."""
        if self._timer is not None:
            self._timer.cancel()

    def _prepare(self, item: Any) -> PreparedPolicy:
        """Worker thread: check everything, build the control loop."""
        return prepare_policy(self._policy_of(item), self._controller.settings)

    def _prepared(self, item: Any, policy: PreparedPolicy | None, error: Exception | None) -> None:
        """Executor thread: hand the outcome on, unless the robot has changed meanwhile."""
        if policy is not None:
            self._ready(policy)
        elif item.description_sha256 == self._controller.modes.description_sha256:
            kind = "" if isinstance(error, HdError) else f"unexpected {type(error).__name__}: "
            self._refuse(f"policy refused: {kind}{error}")
