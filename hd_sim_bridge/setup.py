"""Package hd_sim_bridge."""
from setuptools import find_packages, setup

PACKAGE = "hd_sim_bridge"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    install_requires=["setuptools", "numpy", "mujoco>=3.3,<4"],
    extras_require={"recordings": ["mcap", "imageio-ffmpeg"], "page": ["viser>=1.1,<1.2"],
                    "test": ["pytest", "hypothesis"]},
    zip_safe=False,
    maintainer="HyperDistill for ROS 2 maintainers",
    maintainer_email="maintainers@hyperdistill.example.org",
    description="MuJoCo simulation behind the topics that a real robot has, in real time and in lockstep.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "bench_real_time = hd_sim_bridge.programs:bench_real_time",
            "bridge_node = hd_sim_bridge.programs:bridge_node",
            "compare_base_state = hd_sim_bridge.programs:compare_base_state",
            "compare_guards = hd_sim_bridge.programs:compare_guards",
            "gallery = hd_sim_bridge.programs:gallery",
            "render_robots = hd_sim_bridge.programs:render_robots",
            "web_viewer_node = hd_sim_bridge.programs:web_viewer_node",
        ],
    },
)
