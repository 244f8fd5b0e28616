"""Doctor: versions of what the controller and the generator need."""

import importlib
import importlib.metadata
import os
import platform
import sys

from hd_controller.doctor_findings import MISSING, Finding, good, judged

AREA = "software"
PYTHON_FROM, PYTHON_TO = (3, 10), (3, 13)
NEEDED = {
    "numpy": "python3 -m pip install numpy",
    "mujoco": "python3 -m pip install 'mujoco>=3.3,<4'",
    "onnxruntime": "python3 -m pip install onnxruntime",
    "lxml": "apt install python3-lxml",
    "yourdfpy": "python3 -m pip install --no-deps yourdfpy (and trimesh, six)",
}
NEEDED_WITH_ROS = {
    "rclpy": "source /opt/ros/DISTRIBUTION/setup.bash, or run deploy/install.sh",
    "hd_msgs.msg": "build the workspace and source install/setup.bash, or run deploy/install.sh",
}


def software(with_ros: bool) -> list[Finding]:
    """Python, libraries and, where wanted, ROS 2."""
    version = sys.version_info[:2]
    findings = [
        judged(AREA, PYTHON_FROM <= version <= PYTHON_TO, f"Python {platform.python_version()}, {platform.platform()}",
               "only Python 3.10 to 3.13 are supported", MISSING),
    ]
    if with_ros:
        findings.append(good(AREA, f"ROS 2 {os.environ.get('ROS_DISTRO') or 'from wheels'}"))
    needed = NEEDED | NEEDED_WITH_ROS if with_ros else NEEDED
    findings += [_package(module, advice) for module, advice in needed.items()]
    findings.append(_mujoco_line())
    return findings


def _package(module: str, advice: str) -> Finding:
    name = module.partition(".")[0]
    try:
        importlib.import_module(module)
    except Exception as problem:  # a package that breaks in any way is not there for us
        return Finding(AREA, MISSING, f"{name} cannot be imported ({type(problem).__name__}: {problem})", advice)
    return good(AREA, f"{name} {_version(name)}")


def _version(name: str) -> str:
    for candidate in (name, name.replace("_", "-"), f"ros-{name}"):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            pass
    return getattr(sys.modules.get(name), "__version__", "of unknown version")


def _mujoco_line() -> Finding:
    version = _version("mujoco")
    parts = version.split(".")
    right = len(parts) > 1 and parts[0] == "3" and parts[1].isdecimal() and int(parts[1]) >= 3
    return judged(AREA, right, f"MuJoCo {version}; tested with >= 3.3, < 4", "install 'mujoco>=3.3,<4'")
