"""The part `launch arguments`: what each launch file declares."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from ament_index_python.packages import get_package_share_directory
from markdown_table import code, escaped, table

from launch import LaunchContext

PACKAGE = "hd_controller"
FOLDER = Path(__file__).resolve().parents[2] / "launch"


def markdown() -> str:
    """One table for each launch file."""
    return "\n".join(_section(file) for file in sorted(FOLDER.glob("*.launch.py")))


def _section(file: Path) -> str:
    module = _load(file)
    rows = [
        [code(argument.name), code(_default(argument.default_value)), escaped(_meaning(argument))]
        for argument in module.generate_launch_description().get_launch_arguments()
    ]
    return f"### {file.name}\n\n{escaped(module.__doc__.splitlines()[0])}\n\n" + table(
        ["argument", "default", "meaning"], rows
    )


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.name.partition(".")[0], file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _default(parts: list | None) -> str:
    """The default as it comes out here, with the package's share folder by its name."""
    value = "" if parts is None else "".join(part.perform(LaunchContext()) for part in parts)
    return value.replace(get_package_share_directory(PACKAGE), f"share/{PACKAGE}")


def _meaning(argument: object) -> str:
    choices = "" if argument.choices is None else f" (one of {', '.join(argument.choices)})"
    return f"{argument.description}{choices}"
