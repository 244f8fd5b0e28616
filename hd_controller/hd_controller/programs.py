"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def run(module: str) -> int:
    """Import a program's module and run its `main`.

    Until the program takes over, SIGINT and SIGTERM end the process at once with code 0: nothing is to be made safe
    yet, and a KeyboardInterrupt amid imports ends in a traceback or gets lost. After it they are ignored: all is done,
    and the interpreter, which takes a moment to end its threads, would otherwise be killed by a second Ctrl-C.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # where it was held back while the interpreter started
    with _without_opengl():
        program = importlib.import_module(module)
    code = program.main()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    return code


@contextmanager
def _without_opengl() -> Iterator[None]:
    """Let MuJoCo be imported without its renderer: no node renders in its own process.

    The renderer's bindings ask a second Python which OpenGL library there is. That takes time, and a signal at that
    moment ends in a traceback of that Python, whoever of both it reaches.
    """
    chosen = os.environ.get("MUJOCO_GL")
    os.environ["MUJOCO_GL"] = "disable"
    try:
        yield
    finally:
        del os.environ["MUJOCO_GL"]
        if chosen is not None:
            os.environ["MUJOCO_GL"] = chosen


def controller_node() -> int:
    """`ros2 run hd_controller controller_node`."""
    return run("hd_controller.controller_node")


def description_node() -> int:
    """`ros2 run hd_controller description_node`."""
    return run("hd_controller.description_node")


def generator_node() -> int:
    """`ros2 run hd_controller generator_node`."""
    return run("hd_controller.generator_node")


def set_robot() -> int:
    """`ros2 run hd_controller set_robot`."""
    return run("hd_controller.set_robot")
