"""Messages to a service manager, over a real socket."""

import os
import socket
from pathlib import Path

import pytest

from hd_controller.service_notifier import MESSAGES_PER_WATCHDOG, ServiceNotifier


@pytest.fixture
def manager(tmp_path: Path):
    """A listening socket, as systemd has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def received(manager: socket.socket) -> list[str]:
    """All that has arrived."""
    messages = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_ready_alive_and_stopping_arrive_in_order(manager: socket.socket, tmp_path: Path):
    notifier = ServiceNotifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})
    notifier.ready()
    messages = received(manager)
    for step in range(101):  # ten seconds in steps of 0.1 s
        notifier.alive(50.0 + step * 0.1)
        messages += received(manager)
    notifier.stopping()
    messages += received(manager)
    assert (messages[0], messages[-1], set(messages[1:-1])) == ("READY=1", "STOPPING=1", {"WATCHDOG=1"})
    assert 10 / 2 * MESSAGES_PER_WATCHDOG * 0.8 <= len(messages) - 2 <= 10 / 2 * MESSAGES_PER_WATCHDOG + 1


@pytest.mark.parametrize("limit", [None, "", "0", "-5", "soon", "1e6"])
def test_without_a_watchdog_no_sign_of_life_is_sent(limit: str | None, manager: socket.socket, tmp_path: Path):
    variables = {"NOTIFY_SOCKET": str(tmp_path / "notify")} | ({} if limit is None else {"WATCHDOG_USEC": limit})
    notifier = ServiceNotifier(variables)
    notifier.alive(1.0)
    notifier.ready()
    assert received(manager) == ["READY=1"]


def test_a_watchdog_for_another_process_is_not_ours(manager: socket.socket, tmp_path: Path):
    common = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000"}
    ServiceNotifier({**common, "WATCHDOG_PID": "1"}).alive(1.0)
    assert received(manager) == []
    ServiceNotifier({**common, "WATCHDOG_PID": str(os.getpid())}).alive(1.0)
    assert received(manager) == ["WATCHDOG=1"]


def test_abstract_addresses_work(tmp_path: Path):
    name = f"hd_notify_{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        ServiceNotifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("name", ["", "relative", "/nowhere/at/all", "@nobody_listens"])
def test_nobody_listening_is_no_trouble(name: str):
    notifier = ServiceNotifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000"})
    notifier.ready()
    notifier.alive(1.0)
    notifier.stopping()


def test_a_manager_that_does_not_read_never_blocks(manager: socket.socket, tmp_path: Path):
    notifier = ServiceNotifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "4"})
    for step in range(2000):  # far more than a socket's queue holds
        notifier.alive(step * 1.0)
    assert 0 < len(received(manager)) < 2000
