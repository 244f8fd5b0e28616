"""Fixtures of the system tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hd_controller.morphology import Morphology
from hd_controller.shipped_files import shipped_robots
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf
from hd_system_tests.domains import own_domain
from hd_system_tests.fed_controller import FedController, fed_controller
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
    """Seven small robots and their generator bundle."""
    texts = {body.name: write_urdf(body) for body in sample_robots()}
    return _robots(tmp_path_factory.mktemp("robots"), texts)


@pytest.fixture(scope="session")
def demo_robots(tmp_path_factory: pytest.TempPathFactory) -> Robots:
    """The robots that come with the package, with a random generator for them."""
    texts = {name: file.read_text() for name, file in shipped_robots().items()}
    return _robots(tmp_path_factory.mktemp("demo_robots"), texts)


def _robots(folder: Path, texts: dict[str, str]) -> Robots:
    """Write files and a generator bundle that covers all of them."""
    bodies = {name: read_urdf(text) for name, text in texts.items()}
    for name, text in texts.items():
        (folder / f"{name}.urdf").write_text(text)
    save_random_generator(folder / "generator", list(bodies.values()))
    return Robots(bodies, texts, folder, folder / "generator")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[RosSystem]:
    """Processes in a ROS domain of their own."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    with own_domain() as domain, RosSystem(tmp_path, domain) as running:
        yield running


@pytest.fixture
def fed(system: RosSystem) -> Iterator[FedController]:
    """A controller node in the test's own process."""
    with fed_controller(system.domain) as controller:
        yield controller
