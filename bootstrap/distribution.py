"""Whether a ROS 2 distribution is there and sourced; then it is used instead of wheels."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

_PROBE = "import launch.actions, rclpy"


def distribution_name(environment: Mapping[str, str] = os.environ, python: str = sys.executable) -> str | None:
    """Return the name of the sourced ROS 2 distribution, or None.

    `ROS_DISTRO` alone proves nothing, and this repository's `launch/` folder answers to `import launch`: so the
    command `ros2` must be there, and `launch.actions` and `rclpy` must be importable.
    """
    name = environment.get("ROS_DISTRO")
    if not name or shutil.which("ros2", path=environment.get("PATH")) is None:
        return None
    probe = subprocess.run([python, "-c", _PROBE], env=dict(environment), cwd="/", capture_output=True, check=False)
    return name if probe.returncode == 0 else None
