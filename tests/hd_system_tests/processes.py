"""Starts nodes as processes in a ROS domain of their own and waits on conditions, never on sleeps."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

MODULES = {
    "description_node": "hd_controller.description_node",
    "generator_node": "hd_controller.generator_node",
    "controller_node": "hd_controller.controller_node",
    "bridge_node": "hd_sim_bridge.bridge_node",
    "web_viewer_node": "hd_sim_bridge.web_viewer_node",
    "set_robot": "hd_controller.set_robot",
    "transform_listener": "hd_system_tests.transform_listener",
    "teacher_node": "hd_training.teacher_node",
}
ABORTED_WITHIN_S = 5.0


def wait_until(condition: Callable[[], object], deadline_s: float, what: str) -> None:
    """Return when the condition holds; fails with `what` and the deadline otherwise."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(0.01)


def waited_s(pid: int) -> float:
    """Seconds that a process's threads were ready to run and had no core (second value of Linux's schedstat)."""
    total_ns = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total_ns += int(file.read_text().split()[1])
        except (OSError, IndexError):  # the thread has ended, or the kernel keeps no such figures
            continue
    return total_ns * 1e-9


class NodeProcess:
    """One node; everything it prints goes to a file, or to a device that takes nothing."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", MODULES[name], *arguments], stdout=file, stderr=subprocess.STDOUT,
                env=environment, start_new_session=True)

    @property
    def output(self) -> str:
        """What the node has printed so far; nothing can be read back from a device."""
        if not self._log.is_file():
            return ""
        return self._log.read_text(errors="replace")

    def resident_mb(self) -> float:
        """Resident memory [MB]."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def open_files(self) -> int:
        """Number of open file descriptors."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self) -> int:
        """Number of threads."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def waited_s(self) -> float:
        """Seconds that the node's threads were ready to run and had no core, all together; 0 where Linux keeps none."""
        return waited_s(self.process.pid)

    def send(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, timeout_s: float = 10.0) -> int:
        """Exit code; aborts the node, which shows where its threads are, and fails when it does not end in time."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._abort()
            raise AssertionError(f"{self.name} did not end within {timeout_s:g} s:\n{self.output}") from None

    def _abort(self) -> None:
        """End the node so that faulthandler shows in its output where each thread stands."""
        self.process.send_signal(signal.SIGABRT)
        try:
            self.process.wait(ABORTED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class WithoutCore:
    """Seconds for which these nodes and this test were ready to run and had no core, counted from when it is made.

    A bound on a time is asked of what the project does, not of a machine that does something else meanwhile. Where
    Linux keeps no such figures nothing is taken off.
    """

    def __init__(self, nodes: Sequence[NodeProcess]) -> None:
        self._nodes = nodes
        self._before_s = self._all_s()

    def seconds(self) -> float:
        """All together, so never less than what any of them lost."""
        return self._all_s() - self._before_s

    def _all_s(self) -> float:
        return sum(node.waited_s() for node in self._nodes) + waited_s(os.getpid())


class RosSystem:
    """The nodes of one test; leaving the context ends them all and checks that none left a traceback."""

    def __init__(self, folder: Path, domain: int) -> None:
        self.folder = folder
        self.domain = domain
        self.nodes: list[NodeProcess] = []
        self._environment = {**os.environ, "ROS_DOMAIN_ID": str(self.domain), "PYTHONPATH": os.pathsep.join(sys.path),
                             "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", "ROS_LOG_DIR": str(folder / "log")}

    def set_environment(self, **variables: str) -> None:
        """Variables of the nodes that are started from now on."""
        self._environment |= variables

    def start(self, name: str, arguments: list[str] | None = None, topics: Mapping[str, str] | None = None,
              log: Path | None = None, **parameters: object) -> NodeProcess:
        """Start a node with parameters given by name; `arguments` go before them, `topics` are given other names.

        What it prints goes to `log`, or to a file of its own.
        """
        ros = ["--ros-args"]
        for old, new in (topics or {}).items():
            ros += ["-r", f"{old}:={new}"]
        for key, value in parameters.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            ros += ["-p", f"{key}:={text}"]
        log = log or self.folder / f"{len(self.nodes)}_{name}.log"
        node = NodeProcess(name, [*(arguments or []), *(ros if len(ros) > 1 else [])], self._environment, log)
        self.nodes.append(node)
        return node

    def __enter__(self) -> "RosSystem":
        """Use as a context manager."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Interrupt every node that still runs; all must end with code 0 and without a traceback."""
        running = [node for node in self.nodes if node.process.poll() is None]
        for node in running:
            node.send(signal.SIGINT)
        codes = {node: node.wait() for node in running}
        if failure[0] is not None:
            print("\n".join(f"--- {node.name}\n{node.output[-3000:]}" for node in self.nodes))
            return
        for node in self.nodes:
            assert "Traceback" not in node.output, node.output
        for node, code in codes.items():
            assert code == 0, f"{node.name} ended with code {code}:\n{node.output[-6000:]}"
