"""What a node answers to `--help`, and to a command line that it does not understand."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.utilities import remove_ros_args

WIDTH = 100


def parse_beside_ros(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse what is left of a command line without its ROS arguments.

    Raises:
        SystemExit: with code 2, by either of them.
    """
    try:
        rest = remove_ros_args([parser.prog, *arguments])
    except rclpy_implementation.RCLError as problem:
        parser.error(str(problem).partition(", at /")[0])
    return parser.parse_args(rest[1:])


@dataclass(frozen=True)
class NodeManual:
    """The help of a node; nodes take parameters by `--ros-args` and nothing else."""

    name: str
    summary: str
    examples: Sequence[str] = ()
    """Command lines; empty: the bare one."""
    parameters: dict[str, tuple[object, str]] = field(default_factory=dict)
    """Default and meaning of the node's parameters by name."""

    def check(self, arguments: Sequence[str] | None = None) -> None:
        """Answer `--help` with exit code 0, and what ROS does not understand with exit code 2; otherwise do nothing.

        `arguments` come without the program's name; None: those of this process.

        Raises:
            SystemExit: the answer has been printed.
        """
        parser = argparse.ArgumentParser(
            prog=self.name, description=self.summary, epilog=self._epilog(), usage=f"{self.name} [--ros-args ...]",
            formatter_class=argparse.RawDescriptionHelpFormatter)
        parse_beside_ros(parser, sys.argv[1:] if arguments is None else arguments)

    def _epilog(self) -> str:
        """Parameters, then examples."""
        lines = ["parameters (--ros-args -p NAME:=VALUE):"]
        for name, (default, meaning) in self.parameters.items():
            indent = " " * 6
            lines.append(f"  {name} (default {default!r})")
            lines.append(textwrap.fill(meaning, WIDTH, initial_indent=indent, subsequent_indent=indent))
        lines += ["", "examples:", *(f"  {example}" for example in self.examples or (self.name,)), "",
                  "exit code: 0 ended in order, 1 could not go on (one sentence says why), 2 wrong command line"]
        return "\n".join(lines)
