"""The subset of `launch`, `launch_ros` and the `ros2` command that this project needs where ROS 2 comes from PyPI."""
from setuptools import find_packages, setup

setup(
    name="hd-ros2-pip",
    version="0.1.0",
    package_dir={"": "src"},
    packages=find_packages("src"),
    install_requires=["pyyaml"],
    python_requires=">=3.10",
    license="Apache-2.0",
    entry_points={"console_scripts": ["ros2 = ros2_pip.start:main"]},
)
