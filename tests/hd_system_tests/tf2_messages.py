"""An environment in which tf2_msgs imports: that of this process, or one with the package built from its definition.

ROS 2 from PyPI has no tf2_msgs; with a ROS 2 distribution nothing is built.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

_PACKAGE = """<package format="3">
  <name>tf2_msgs</name><version>0.0.1</version><description>TFMessage</description>
  <maintainer email="maintainers@hyperdistill.example.org">tests</maintainer><license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend><buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend><exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""
_BUILD = """cmake_minimum_required(VERSION 3.20)
project(tf2_msgs)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(geometry_msgs REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} "msg/TFMessage.msg" DEPENDENCIES geometry_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""


def tf2_environment(folder: Path) -> dict[str, str]:
    """Variables for processes that import tf2_msgs; what has to be built goes into the folder (about 15 s).

    Raises:
        AssertionError: the package does not build.
    """
    if importlib.util.find_spec("tf2_msgs") is not None:
        return {}
    source = folder / "src" / "tf2_msgs"
    (source / "msg").mkdir(parents=True)
    (source / "package.xml").write_text(_PACKAGE)
    (source / "CMakeLists.txt").write_text(_BUILD)
    (source / "msg" / "TFMessage.msg").write_text("geometry_msgs/TransformStamped[] transforms\n")
    command = [sys.executable, "-m", "colcon", "--log-base", "log", "build", "--base-paths", "src", "--merge-install"]
    command += ["--cmake-args", f" -DPython3_EXECUTABLE={sys.executable}", " -DBUILD_TESTING=OFF"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    script = f'source "{folder}/install/setup.bash" && env -0'
    output = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    pairs = dict(item.partition("=")[::2] for item in output.split("\0") if item)
    kept = {**os.environ, "_": pairs.get("_"), "SHLVL": pairs.get("SHLVL")}
    changed = {name: value for name, value in pairs.items() if kept.get(name) != value}
    changed["PYTHONPATH"] = os.pathsep.join([pairs["PYTHONPATH"], *sys.path])
    return changed
