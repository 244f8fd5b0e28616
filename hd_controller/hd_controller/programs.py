"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from __future__ import annotations

import importlib
import os
import signal


def run(module: str, *, physics: bool = True) -> int:
    """Import a program's module and run its `main`; `physics`: it needs MuJoCo, which is imported first.

    Until the program takes over, SIGINT and SIGTERM end the process at once with code 0: nothing is to be made safe
    yet, and a KeyboardInterrupt amid imports ends in a traceback or gets lost.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    if physics:
        # glfw, which mujoco imports, asks another Python for its version: that one holds the signal back, too.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        importlib.import_module("mujoco")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    return importlib.import_module(module).main()


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
    return run("hd_controller.set_robot", physics=False)
