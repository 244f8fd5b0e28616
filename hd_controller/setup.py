"""Package hd_controller: modules, nodes, launch files, demo robots and the default generator."""
import os
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "hd_controller"
HERE = Path(__file__).resolve().parent


def files(folder: str, *patterns: str) -> list[str]:
    """Paths, relative to this package, of the files in `folder` that match one of the patterns."""
    found = {path for pattern in patterns for path in (HERE / folder).glob(pattern) if path.is_file()}
    return [os.path.relpath(path, HERE) for path in sorted(found)]


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["c_templates/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/launch", files("../launch", "*.launch.py", "*.yaml", "*.rviz")),
        (f"share/{PACKAGE}/robots", files("robots", "*.urdf")),
        (f"share/{PACKAGE}/generators/default", files("generators/default", "*")),
    ],
    install_requires=["setuptools", "numpy", "mujoco>=3.3,<4", "onnxruntime", "yourdfpy", "pyyaml"],
    extras_require={"onnx": ["onnx"], "test": ["pytest", "hypothesis"]},
    zip_safe=False,
    maintainer="HyperDistill for ROS 2 maintainers",
    maintainer_email="maintainers@hyperdistill.example.org",
    description="What runs on a robot: reads its description, generates its policy, and closes the control loop.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "bench = hd_controller.bench:main",
            "controller_node = hd_controller.programs:controller_node",
            "description_node = hd_controller.programs:description_node",
            "doctor = hd_controller.doctor:main",
            "export_policy = hd_controller.export_policy:main",
            "generator_node = hd_controller.programs:generator_node",
            "set_robot = hd_controller.programs:set_robot",
        ],
    },
)
