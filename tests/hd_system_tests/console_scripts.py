"""All programs of the packages, as their setup.py files declare them, and what they answer to a command line.

`python -m hd_system_tests.console_scripts PACKAGE JSON` calls programs of a package, each with its arguments, in one
process, so that what they import is imported once, and prints the answers as JSON.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hd_controller", "hd_sim_bridge", "hd_training")
DEADLINE_S = 300.0


@dataclass(frozen=True)
class Answer:
    """What a program answered."""

    status: int
    """Exit code."""
    output: str
    errors: str
    """Standard error, and the traceback of an exception that nothing caught."""


def console_scripts(package: str) -> dict[str, str]:
    """Programs of a package with `module:function` of each; read from the text of its setup.py."""
    tree = ast.parse((ROOT / package / "setup.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and "console_scripts" in [getattr(key, "value", None) for key in node.keys]:
            lines = ast.literal_eval(node)["console_scripts"]
            pairs = (line.partition("=") for line in lines)
            return {name.strip(): target.strip() for name, _, target in sorted(pairs)}
    return {}


def node_scripts() -> list[tuple[str, str]]:
    """(package, name) of every program that is a node."""
    return [(package, name) for package in PACKAGES for name in console_scripts(package) if name.endswith("_node")]


def answer(name: str, target: str, arguments: Sequence[str]) -> Answer:
    """Call a program's function as its script would."""
    module, _, function = target.partition(":")
    output, errors = io.StringIO(), io.StringIO()
    sys.argv = [name, *arguments]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = getattr(importlib.import_module(module), function)() or 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # whatever a user would see
            traceback.print_exc(file=errors)
            status = 1
    return Answer(status, output.getvalue(), errors.getvalue())


def walk(package: str, arguments: Sequence[str]) -> dict[str, Answer]:
    """The answer of every program of a package to the same arguments; see `ask`."""
    return ask(package, {name: arguments for name in console_scripts(package)})


def ask(package: str, command_lines: Mapping[str, Sequence[str]], folder: Path | None = None) -> dict[str, Answer]:
    """The answers of programs to their arguments, in their order, from one process that works in the folder.

    Raises:
        RuntimeError: the process did not end in order, as when a program ends it on its own.
    """
    command = [sys.executable, "-m", "hd_system_tests.console_scripts", package, json.dumps(command_lines)]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, timeout=DEADLINE_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{package} {dict(command_lines)}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
    return {name: Answer(**fields) for name, fields in json.loads(done.stdout.splitlines()[-1]).items()}


def main() -> int:
    """Print the answers."""
    package, command_lines = sys.argv[1], json.loads(sys.argv[2])
    targets = console_scripts(package)
    answers = {name: answer(name, targets[name], arguments) for name, arguments in command_lines.items()}
    print(json.dumps({name: asdict(given) for name, given in answers.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
