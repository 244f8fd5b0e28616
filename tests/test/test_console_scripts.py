"""Manners of every program of the packages: help with examples, exit codes, no traceback for a slip of the keyboard."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hd_system_tests.console_scripts import PACKAGES, ROOT, Answer, ask, console_scripts, walk
from hd_system_tests.processes import wait_until

SHELL_SCRIPTS = {"hd": [str(ROOT / "hd")], "install": [str(ROOT / "deploy" / "install.sh")]}
if "launch_ros" in sys.modules or os.environ.get("ROS_DISTRO") is None:
    SHELL_SCRIPTS["ros2"] = ["ros2"]  # this project's stand-in


@pytest.mark.parametrize("package", PACKAGES)
def test_every_program_of_a_package(package: str) -> None:
    """--help shows what it does, its options and examples; an unknown option gives 2 and one line, no traceback."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    scripts = console_scripts(package)
    assert len(scripts) >= 3
    helped, refused = walk(package, ["--help"]), walk(package, ["--no-such-option"])
    assert set(helped) == set(refused) == set(scripts)
    problems = [f"{name}: {problem}" for name in scripts
                for problem in (*_troubles_of_help(name, helped[name]), *_troubles_of_refusal(refused[name]))]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("package", ["hd_sim_bridge", "hd_training"])
def test_programs_with_slow_imports_start_guarded(package: str) -> None:
    """Each through its function in `programs`, where Ctrl-C amid the imports and a missing OpenGL are one line."""
    assert console_scripts(package) == {name: f"{package}.programs:{name}" for name in console_scripts(package)}


def _troubles_of_help(name: str, answer: Answer) -> list[str]:
    troubles = []
    if answer.status != 0 or answer.errors:
        troubles.append(f"--help ends with {answer.status}: {answer.errors[-500:]}")
    if not answer.output.startswith("usage: "):
        troubles.append("--help does not begin with the usage")
    if not re.search(rf"^examples?:(.|\n)*\b{name}\b", answer.output, re.MULTILINE):
        troubles.append("--help shows no example of this program")
    return troubles


def _troubles_of_refusal(answer: Answer) -> list[str]:
    troubles = []
    if answer.status != 2:
        troubles.append(f"an unknown option ends with {answer.status}, not 2")
    if "Traceback" in answer.errors or ("--no-such-option" not in answer.errors and "required" not in answer.errors):
        troubles.append(f"an unknown option is answered by: {answer.errors[-500:]}")
    return troubles


def test_ros_arguments_that_make_no_sense() -> None:
    """A slip in --ros-args is a wrong command line, too."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    for package in ("hd_controller", "hd_sim_bridge"):
        nodes = {name: answer for name, answer in walk(package, ["--ros-args", "-p", "seed"]).items()
                 if name.endswith("_node") or name == "set_robot"}
        assert nodes and all(answer.status == 2 for answer in nodes.values()), nodes
        assert not [name for name, answer in nodes.items() if "Traceback" in answer.errors]


MISTAKES = {
    "hd_controller": {
        "bench --seconds -1": 2, "doctor --listen -1": 2, "export_policy nobody --format c": 1,
    },
    "hd_sim_bridge": {
        "compare_guards nobody": 1, "compare_base_state --noise -1": 2, "gallery --robots nobody": 1,
        "render_robots --size 100000 9 --out x.png": 2, "bench_real_time --robots nobody": 1,
    },
    "hd_training": {
        "archive_teacher --out nowhere --file x": 1, "distill --robots nowhere --out x": 1,
        "collect --robots nowhere --out x": 1, "evaluate --robots nowhere --out x": 1,
        "export_bundle --robots nowhere --out x": 1, "mutate_robots x --robots nowhere": 1,
        "plot_training --csv nowhere --out x.png": 1, "train --workers 0": 2,
        "train_teacher --robots nowhere --out x": 1, "train_experts --robots nowhere --out x": 1,
    },
}  # fmt: skip
"""A slip of the user, a name of nothing or a number without sense, and the exit code."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_mistake_of_the_user_is_a_sentence(package: str, tmp_path: Path) -> None:
    """On standard error, with exit code 1 or 2; nothing is printed as a result and no file is left."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    lines = {line.split()[0]: line.split()[1:] for line in MISTAKES[package]}
    given = ask(package, lines, tmp_path)
    for line, status in MISTAKES[package].items():
        answer = given[line.split()[0]]
        assert answer.status == status and "Traceback" not in answer.errors and not answer.output, (line, answer)
        assert "error: " in answer.errors.splitlines()[-1], (line, answer)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SHELL_SCRIPTS)
def test_scripts_outside_the_packages(name: str) -> None:
    """The same for ./hd, the installer and the ros2 command, each started as a user starts it."""
    helped = subprocess.run([*SHELL_SCRIPTS[name], "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert helped.returncode == 0 and not helped.stderr, helped.stderr
    assert re.search(r"^examples?:", helped.stdout, re.MULTILINE), helped.stdout
    refused = subprocess.run(
        [*SHELL_SCRIPTS[name], "--no-such-option"], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr, refused.stderr


def test_every_program_is_found() -> None:
    """The list that the walk goes by is that of the installed scripts."""
    installed = ROOT / ".hd" / "install" / "lib"
    if not installed.is_dir():
        pytest.skip("needs the workspace that ./hd builds")
    for package in PACKAGES:
        names = {file.name for file in (installed / package).iterdir() if os.access(file, os.X_OK)}
        assert names == set(console_scripts(package))


def test_ctrl_c_is_one_line_and_130(tmp_path: Path) -> None:
    """Of a command at work: it has begun to print when the signal comes."""
    command = [sys.executable, "-m", "hd_sim_bridge.compare_guards", "tripod", "--episodes", "1", "--steps", "50"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # a test run in the background hands on that it ignores Ctrl-C
            [*command, "--single"], stdout=output, stderr=output,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        wait_until(lambda: "tripod: " in log.read_text() or process.poll() is not None, 60, "the first figures")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130, log.read_text()
    assert log.read_text().endswith("interrupted\n") and "Traceback" not in log.read_text()
