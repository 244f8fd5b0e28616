"""The documentation: the site builds without a warning, marks and names are right, error messages are the code's."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("markdown_it", reason="needs the documentation's packages (./hd test installs them)")

from hd_system_tests.console_scripts import PACKAGES, console_scripts, walk
from hd_system_tests.documentation import ROOT, code_blocks, pages, parse_mark, ros2_commands

CODE_FOLDERS = ("hd_controller/hd_controller", "hd_sim_bridge/hd_sim_bridge", "hd_training/hd_training", "bootstrap")


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """As `./hd docs` builds it; every generated part is in."""
    for module in ("sphinx", "myst_parser", "furo", "rclpy", "hd_msgs.msg"):
        pytest.importorskip(module, reason=f"needs {module}")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--builder", "html"]
    done = subprocess.run([*command, str(ROOT / "docs"), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    reference = (tmp_path / "messages_and_parameters.html").read_text()
    for word in ("msg/Policy", "srv/Push", "rt_priority", "guard_profile", "sensor_noise.joint_position", "dry_run"):
        assert word in reference, word
    commands = (tmp_path / "commands.html").read_text()
    for name in (name for package in PACKAGES for name in console_scripts(package)):
        assert f"usage: {name}" in commands, name
    assert "generated:" not in reference + commands


def test_every_page_is_in_the_site() -> None:
    """No page is left out of the table of contents."""
    listed = re.findall(r"^\w+$", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs").glob("*.md") if path.stem != "index")


@pytest.mark.parametrize(
    "info", ["sh", "sh skip:", 'sh test sleeps="1"', "bash", "", "python later", "sh file: x.sh"])
def test_a_mark_that_says_nothing_is_refused(info: str) -> None:
    """So that no block goes by unexecuted and unexplained."""
    with pytest.raises(ValueError, match=r"expected one of|expected '\w+ test|known options"):
        parse_mark(info)


def test_every_block_is_executed_or_says_why_not() -> None:
    """Every page is readable by the runner; there is something to run in each tier."""
    marks = [block.mark for page in pages() for block in code_blocks(page)]
    assert min(marks.count("test"), marks.count("slow"), marks.count("skip")) >= 5


def test_programs_options_and_arguments_exist() -> None:
    """Every `ros2 run` and `ros2 launch` that a page shows, executed or not, names what there is."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    helps = {(package, name): answer.output for package in PACKAGES
             for name, answer in walk(package, ["--help"]).items()}
    declared = {file.name: set(re.findall(r'"(\w+)"', file.read_text()))
                for file in (ROOT / "launch").glob("*.launch.py")}
    problems, count = [], 0
    for page in pages():
        for command in ros2_commands(page):
            shown = f"{page.name}: ros2 {command.verb} {command.package} {command.target}{command.arguments}"
            count += 1
            if command.verb == "run":
                text = helps.get((command.package, command.target), "")
                odd = [] if text else ["there is no such program"]
                odd += [name for name in re.findall(r"(?<!\S)--[a-z][\w-]*", command.arguments)
                        if not re.search(rf"{name}\b", text) and name != "--ros-args"]
            else:
                names = declared.get(command.target, set())
                odd = [] if names else ["there is no such launch file"]
                odd += [name for name in re.findall(r"(?<!\S)(\w+):=", command.arguments) if name not in names]
            problems += [f"{shown}: {name}" for name in odd]
    assert count > 40 and not problems, "\n".join(problems)


def _spoken() -> list[str]:
    """Every text of the code; of a text with values in it, the pieces between them joined by a line end."""
    spoken = []
    for folder in CODE_FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    spoken.append("".join(str(part.value) if isinstance(part, ast.Constant) else "\n"
                                          for part in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    spoken.append(node.value)
    return spoken


def test_messages_of_the_troubleshooting_page_are_those_of_the_code() -> None:
    """A sentence that the code no longer says helps nobody."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    messages = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    assert len(messages) > 30
    spoken = _spoken()
    lost = [message for message in messages
            if not any(all(part in said for part in message.split("...")) for said in spoken)]
    assert not lost, "\n".join(lost)
