"""A node under a service manager: ready, signs of life, silence when it hangs, and the end."""

import signal
import socket
import time
from pathlib import Path

import pytest

WATCHDOG_S = 0.8


class Manager:
    """The listening side of the sd_notify protocol."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def next_message(self, deadline_s: float) -> str | None:
        """The next message, or None where none comes in time."""
        self._socket.settimeout(deadline_s)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return None

    def drain(self) -> None:
        """Forget what has arrived."""
        while self.next_message(0.001) is not None:
            pass


@pytest.mark.integration
@pytest.mark.parametrize("name", ["controller_node", "generator_node"])
def test_a_watched_node(system, robots, tmp_path, name: str) -> None:
    """READY=1 once, WATCHDOG=1 within the watchdog's time, none while it is stopped, STOPPING=1 on SIGINT."""
    manager = Manager(tmp_path / "notify")
    system.set_environment(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6)))
    parameters = {"generator": robots.generator} if name == "generator_node" else {}
    node = system.start(name, **parameters)
    assert manager.next_message(30) == "READY=1"
    for _ in range(6):
        assert manager.next_message(WATCHDOG_S) == "WATCHDOG=1"
    node.send(signal.SIGSTOP)
    manager.drain()
    began = time.monotonic()
    assert manager.next_message(1.5 * WATCHDOG_S) is None and time.monotonic() - began >= 1.4 * WATCHDOG_S
    node.send(signal.SIGCONT)
    assert manager.next_message(WATCHDOG_S) == "WATCHDOG=1"
    node.send(signal.SIGINT)
    messages = iter(lambda: manager.next_message(3), None)
    assert "STOPPING=1" in messages
    assert node.wait(5) == 0
