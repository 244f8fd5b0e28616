"""Launch descriptions that run in a process of their own, as `ros2 launch` does."""
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src"
HEADER = """
import sys
from launch import LaunchDescription
from launch.actions import *
from launch.conditions import *
from launch.event_handlers import *
from launch.substitutions import *
PYTHON = sys.executable

def program(text, **keywords):
    return ExecuteProcess(cmd=[PYTHON, "-u", "-c", text], name="program", output="screen", **keywords)

def generate_launch_description():
    return LaunchDescription(describe())
"""


@pytest.fixture(autouse=True)
def interrupts_arrive():
    """Programs started by a test can be interrupted, even where the tests run in the background (SIGINT ignored)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def launch_file(tmp_path):
    """A function that writes a launch file whose describe() has the given body; returns its path."""

    def write(body: str) -> Path:
        path = tmp_path / "made.launch.py"
        path.write_text(HEADER + "def describe():\n" + textwrap.indent(textwrap.dedent(body), "    "))
        return path

    return write


@pytest.fixture
def start(launch_file):
    """A function that starts `ros2 launch` on a launch file with the given body."""
    processes = []

    def begin(body: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-c", "import sys; from ros2_pip.command import main; sys.exit(main())"]
        process = subprocess.Popen(
            [*command, "launch", str(launch_file(body)), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.stdout.close()
