"""Tells a service manager such as systemd that this process is ready, alive and ending (the sd_notify protocol).

One datagram for each message, to the socket named by $NOTIFY_SOCKET; without that variable nothing happens. With
$WATCHDOG_USEC, silence for that long means that the process hangs and is to be killed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

MESSAGES_PER_WATCHDOG = 4
"""Signs of life for each watchdog time: some may come late."""


class ServiceNotifier:
    """Sends what changed; a manager that does not listen never holds the process up."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Read the variables once; values that make no sense count as absent."""
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._socket: socket.socket | None = None
        self._interval_s = float("inf")
        self._next_s = 0.0
        if not name.startswith(("/", "@")):
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit = environment.get("WATCHDOG_USEC", "")
        if watched and limit.isdecimal() and int(limit) > 0:
            self._interval_s = int(limit) * 1e-6 / MESSAGES_PER_WATCHDOG

    @property
    def watched(self) -> bool:
        """Whether the manager waits for signs of life."""
        return self._interval_s != float("inf")

    def ready(self) -> None:
        """The process has started."""
        self._send("READY=1")

    def alive(self, now_s: float) -> None:
        """Call it often, with a steady time [s]; it sends as often as the watchdog needs."""
        if self.watched and now_s >= self._next_s:
            self._next_s = now_s + self._interval_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The process is about to end."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the manager is gone or does not keep up: no reason to stop a robot
                self._socket.sendto(message.encode(), self._address)
