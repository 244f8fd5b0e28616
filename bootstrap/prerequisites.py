"""What must be on the machine before anything can be set up."""
from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

from problem import SetupProblem

NEEDED_BYTES = 3 * 1024**3
NEEDED_WITHOUT_TRAINING = 3 * 1024**3 // 2
_PYTHON_FROM, _PYTHON_TO = (3, 10), (3, 13)


def check_machine(*, with_ros_wheels: bool) -> None:
    """Raise SetupProblem when the operating system, the processor or the Python version has no wheels."""
    if platform.system() != "Linux":
        raise SetupProblem(f"this is {platform.system()}, but only Linux is supported (Debian 12, Ubuntu 24.04)")
    version = sys.version_info[:2]
    if not _PYTHON_FROM <= version <= _PYTHON_TO:
        raise SetupProblem(
            f"Python {version[0]}.{version[1]} is not supported: install Python 3.10 to 3.13 (package python3) "
            "or name one with HD_PYTHON=/path/to/python"
        )
    if with_ros_wheels and platform.machine() != "x86_64":
        raise SetupProblem(
            f"there are no ROS 2 wheels for {platform.machine()}: install the packages of a ROS 2 distribution "
            "(ros-jazzy-ros-base or newer) and source its setup.bash"
        )


def check_tools() -> None:
    """Raise SetupProblem when a program or header that the set-up needs is missing; names the Debian package."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise SetupProblem(f"{sys.executable} cannot make virtual environments: install the package python3-venv")
    for program, package in (("cmake", "cmake"), ("g++", "g++"), ("make", "make")):
        if shutil.which(program) is None:
            raise SetupProblem(f"{program} is missing: install the package {package}")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise SetupProblem(f"Python's C header {header} is missing: install the package python3-dev")


def check_path(folder: Path) -> None:
    """Raise SetupProblem when the path holds characters that the set-up scripts of ROS 2 do not take."""
    if any(character.isspace() for character in str(folder)):
        raise SetupProblem(
            f"the path '{folder}' has a space in it, which the set-up scripts of ROS 2 do not take: "
            "move the repository to a path without spaces"
        )


def check_space(folder: Path, *, needed_bytes: int = NEEDED_BYTES) -> None:
    """Raise SetupProblem when `folder` cannot be written or its disk has too little free space."""
    if not os.access(folder, os.W_OK):
        raise SetupProblem(f"{folder} cannot be written: clone the repository to a folder of your own")
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SetupProblem(
            f"the disk that holds {folder} has {free / 1024**3:.1f} GiB free but the set-up needs "
            f"{needed_bytes / 1024**3:.1f} GiB: free some space"
        )
