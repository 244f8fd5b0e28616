"""Fixtures of the system tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hd_controller.morphology import Morphology
from hd_controller.urdf_writer import write_urdf
from hd_system_tests.processes import RosSystem
from hd_system_tests.random_generator import save_random_generator
from hd_system_tests.sample_robots import sample_robots


@dataclass(frozen=True)
class Robots:
    """Sample robots as bodies, texts and files, with a random generator for them."""

    bodies: dict[str, Morphology]
    texts: dict[str, str]
    folder: Path
    generator: Path

    def file(self, name: str) -> Path:
        """The URDF file of a robot."""
        return self.folder / f"{name}.urdf"


@pytest.fixture(scope="session")
def robots(tmp_path_factory: pytest.TempPathFactory) -> Robots:
    """Seven robots and their generator bundle."""
    folder = tmp_path_factory.mktemp("robots")
    bodies = {body.name: body for body in sample_robots()}
    texts = {name: write_urdf(body) for name, body in bodies.items()}
    for name, text in texts.items():
        (folder / f"{name}.urdf").write_text(text)
    save_random_generator(folder / "generator", list(bodies.values()))
    return Robots(bodies, texts, folder, folder / "generator")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[RosSystem]:
    """Processes in a ROS domain of their own."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    with RosSystem(tmp_path) as running:
        yield running
