"""Sources of launch descriptions."""
from launch.launch_description_source import LaunchDescriptionSource


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A Python launch file, given by its path."""


__all__ = ["PythonLaunchDescriptionSource"]
