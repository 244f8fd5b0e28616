"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from __future__ import annotations

import importlib
import os
import signal


def run(module: str) -> int:
    """Import a program's module and run its `main`.

    Until the program takes over, SIGINT and SIGTERM end the process at once with code 0: nothing is to be made safe
    yet, and a KeyboardInterrupt amid imports ends in a traceback or gets lost.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
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
    return run("hd_controller.set_robot")
