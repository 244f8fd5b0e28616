"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130


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


def command(module: str, *, physics: bool = True) -> int:
    """Import the module of a command, which is no node, and run its `main`; Ctrl-C is always one line and code 130.

    `physics`: the command needs MuJoCo, whose import asks another Python for the version of an OpenGL library; that one
    takes over that Ctrl-C is held back. Where SIGINT is ignored, as behind `nohup`, it stays so.
    """
    answered = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if answered:
        signal.signal(signal.SIGINT, lambda *_: _end())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back by ros2_pip while the interpreter started
    if physics and (reason := _failed_import_of_mujoco()) is not None:
        print(reason, file=sys.stderr)
        return 1
    program = importlib.import_module(module)
    if answered:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return program.main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while other processes are started: they take that over until they let it in themselves."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _failed_import_of_mujoco() -> str | None:
    """Import MuJoCo; what to tell the user where that fails: it raises what it likes over the OpenGL that is asked."""
    try:
        with interrupts_held():
            importlib.import_module("mujoco")
    except Exception as error:
        chosen = os.environ.get("MUJOCO_GL")
        if not chosen:
            return f"MuJoCo cannot be imported: {error}; `ros2 run hd_controller doctor` says what is missing"
        return (f"MuJoCo cannot be imported with MUJOCO_GL={chosen}: {error}; set MUJOCO_GL to egl, osmesa or glfw, "
                "whichever this machine has, to disable where nothing is drawn, or unset it")
    return None


def _end() -> None:
    """Nothing has been begun: end here, since an exception amid imports ends in a traceback or gets lost."""
    os.write(sys.stderr.fileno(), b"interrupted\n")
    os._exit(INTERRUPTED)


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
