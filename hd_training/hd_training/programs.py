"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from __future__ import annotations

import importlib
import os
import signal
import sys

from hd_controller.programs import run
from hd_training.worker_processes import interrupts_held

INTERRUPTED = 130


def command(module: str, *, physics: bool = True) -> int:
    """Import a command's module and run its `main`; Ctrl-C at any time is one line and code 130.

    `physics`: the command needs MuJoCo, whose import asks another Python for the version of an OpenGL library; that one
    takes over that Ctrl-C is held back. Where SIGINT is ignored, as behind `nohup`, it stays so.
    """
    answered = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if answered:
        signal.signal(signal.SIGINT, lambda *_: _end())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back by ros2_pip while the interpreter started
    if physics:
        with interrupts_held():
            importlib.import_module("mujoco")
    program = importlib.import_module(module)
    if answered:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return program.main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _end() -> None:
    """Nothing has been begun: end here, since an exception amid imports ends in a traceback or gets lost."""
    os.write(sys.stderr.fileno(), b"interrupted\n")
    os._exit(INTERRUPTED)


def teacher_node() -> int:
    """`ros2 run hd_training teacher_node`."""
    return run("hd_training.teacher_node")


def archive_teacher() -> int:
    """`ros2 run hd_training archive_teacher`."""
    return command("hd_training.archive_teacher")


def bench_distill() -> int:
    """`ros2 run hd_training bench_distill`."""
    return command("hd_training.bench_distill")


def bench_engine() -> int:
    """`ros2 run hd_training bench_engine`."""
    return command("hd_training.bench_engine")


def check_ppo() -> int:
    """`ros2 run hd_training check_ppo`."""
    return command("hd_training.check_ppo")


def clone_experts() -> int:
    """`ros2 run hd_training clone_experts`."""
    return command("hd_training.clone_experts")


def collect() -> int:
    """`ros2 run hd_training collect`."""
    return command("hd_training.collect")


def count_cost() -> int:
    """`ros2 run hd_training count_cost`."""
    return command("hd_training.count_cost", physics=False)


def distill() -> int:
    """`ros2 run hd_training distill`."""
    return command("hd_training.distill")


def evaluate() -> int:
    """`ros2 run hd_training evaluate`."""
    return command("hd_training.evaluate")


def export_bundle() -> int:
    """`ros2 run hd_training export_bundle`."""
    return command("hd_training.export_bundle")


def make_robots() -> int:
    """`ros2 run hd_training make_robots`."""
    return command("hd_training.make_robots")


def mutate_robots() -> int:
    """`ros2 run hd_training mutate_robots`."""
    return command("hd_training.mutate_robots")


def plot_training() -> int:
    """`ros2 run hd_training plot_training`."""
    return command("hd_training.plot_training")


def profile_learner() -> int:
    """`ros2 run hd_training profile_learner`."""
    return command("hd_training.profile_learner")


def reproduce() -> int:
    """`ros2 run hd_training reproduce`."""
    return command("hd_training.reproduce")


def train() -> int:
    """`ros2 run hd_training train`."""
    return command("hd_training.train")


def train_experts() -> int:
    """`ros2 run hd_training train_experts`."""
    return command("hd_training.train_experts")


def train_teacher() -> int:
    """`ros2 run hd_training train_teacher`."""
    return command("hd_training.train_teacher")
