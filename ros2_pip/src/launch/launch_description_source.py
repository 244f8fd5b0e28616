"""Where a launch description comes from."""
from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from launch.launch_description import LaunchDescription
from launch.substitution import SomeSubstitutionsType, normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LaunchDescriptionSource:
    """A Python launch file, given by its path."""

    def __init__(self, location: SomeSubstitutionsType) -> None:
        """Remember the path of the launch file."""
        self._location = normalize_to_list_of_substitutions(location)

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Run the file's `generate_launch_description`.

        Raises:
            FileNotFoundError: there is no such file.
            AttributeError: the file has no `generate_launch_description`.
        """
        path = Path(perform_substitutions(context, self._location)).resolve()
        if not path.is_file():
            raise FileNotFoundError(f"launch file '{path}' does not exist")
        context.extend_locals({"current_launch_file_directory": str(path.parent)})
        return load_launch_file(path)


def load_launch_file(path: Path) -> LaunchDescription:
    """Import the launch file at `path` and return its description."""
    spec = importlib.util.spec_from_file_location(path.name.replace(".", "_"), path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"launch file '{path}' is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "generate_launch_description"):
        raise AttributeError(f"launch file '{path}' has no function generate_launch_description()")
    return module.generate_launch_description()
