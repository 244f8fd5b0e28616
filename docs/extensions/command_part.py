"""The part `commands`: the help of every program, as the program prints it."""

from __future__ import annotations

from hd_system_tests.console_scripts import PACKAGES, console_scripts, walk


def markdown() -> str:
    """One section for each package, one for each of its programs."""
    return "\n".join(_package(package) for package in PACKAGES if console_scripts(package))


def _package(package: str) -> str:
    answers = walk(package, ["--help"])
    parts = [f"### {name}\n\n```text\n{answer.output.rstrip()}\n```\n" for name, answer in answers.items()]
    return f"## {package}\n\n" + "\n".join(parts)
