"""How a policy gets from a message or a file to the controller: matched to the description, checked beside the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hd_controller import conversions
from hd_controller.background import LatestWorker
from hd_controller.controller import Controller, PreparedPolicy, prepare_policy
from hd_controller.errors import HdError
from hd_controller.policy_bundle import PolicyBundle
from hd_msgs.msg import Policy


class PolicyIntake:
    """Keeps the newest policy until its description is there, and prepares it in a thread of its own.

    `ready` gets a policy that passed every check, on the executor thread and between two control steps; `refuse` gets
    the one sentence why another did not.
    """

    def __init__(self, controller: Controller, ready: Callable[[PreparedPolicy], None], refuse: Callable[[str], None],
                 post: Callable[[Callable[[], None]], Any]) -> None:
        self._controller = controller
        self._ready = ready
        self._refuse = refuse
        self._newest: Policy | PolicyBundle | None = None
        self._worker = LatestWorker(self._prepare, self._prepared, post)

    def close(self) -> None:
        """End the thread."""
        self._worker.close()

    def description(self, sha256: str) -> None:
        """The robot has changed: what is being prepared is for another one, unless it was faster than this news."""
        self._worker.discard()
        if self._newest is not None and self._newest.description_sha256 == sha256:
            self._worker.submit(self._newest)

    def policy(self, policy: Policy | PolicyBundle) -> None:
        """Take a policy if it is for the newest description; one that comes before any description waits for it."""
        wanted = self._controller.modes.description_sha256
        self._newest = policy
        if policy.description_sha256 == wanted:
            self._worker.submit(policy)
        elif wanted:
            self._refuse(f"policy for description {policy.description_sha256[:12]} is not used: the newest "
                         f"robot_description is {wanted[:12]}")

    def _prepare(self, item: Policy | PolicyBundle) -> PreparedPolicy:
        """Worker thread: check everything, build the control loop."""
        bundle = item if isinstance(item, PolicyBundle) else conversions.policy_from_message(item)
        return prepare_policy(bundle, self._controller.settings)

    def _prepared(self, item: Policy | PolicyBundle, policy: PreparedPolicy | None, error: Exception | None) -> None:
        """Executor thread: hand the outcome on, unless the robot has changed meanwhile."""
        if policy is not None:
            self._ready(policy)
        elif item.description_sha256 == self._controller.modes.description_sha256:
            kind = "" if isinstance(error, HdError) else f"unexpected {type(error).__name__}: "
            self._refuse(f"policy refused: {kind}{error}")
