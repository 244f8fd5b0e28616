"""/tf of a simulated robot: the messages, and the one line where tf2_msgs is not installed."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from hd_controller.rotations import matrix_from_quaternion
from hd_controller.shipped_files import robot_file
from hd_controller.urdf_reader import read_urdf
from hd_sim_bridge.link_frames import LinkFrames
from hd_sim_bridge.simulation import Simulation
from hd_sim_bridge.transform_topic import TransformTopic


class Topic:
    """Stands for node and publisher: keeps what is said and published."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.messages: list[SimpleNamespace] = []
        self.topics: list[str] = []
        self.wanted = True

    def get_logger(self) -> SimpleNamespace:
        return SimpleNamespace(info=self.said.append)

    def make(self, message_type: type, topic: str) -> "Topic":
        self.topics.append(topic)
        return self

    def publish(self, message: SimpleNamespace) -> None:
        self.messages.append(message)


@pytest.fixture
def tf2_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """tf2_msgs, of which one message is needed: a list of transforms. PyPI does not have the package."""
    module = ModuleType("tf2_msgs.msg")
    module.TFMessage = SimpleNamespace
    monkeypatch.setitem(sys.modules, "tf2_msgs", ModuleType("tf2_msgs"))
    monkeypatch.setitem(sys.modules, "tf2_msgs.msg", module)


@pytest.mark.usefixtures("tf2_messages")
def test_following_the_transforms_leads_to_the_simulated_bodies() -> None:
    """odom -> root link -> ... -> every link, with the state's stamp; in our own files links are the bodies."""
    text = robot_file("quadruped").read_text()
    body = read_urdf(text, notes=[])
    simulation, topic = Simulation(body, seed=2), Topic()
    for _ in range(40):
        simulation.step(0.5 * body.effort_limits)
    transforms = TransformTopic(topic, topic.make)
    transforms.show(LinkFrames(text, body), simulation.state(), 7_020_000_000)
    assert topic.topics == ["/tf"] and not topic.said and len(topic.messages) == 1
    poses = {"odom": np.eye(4)}
    for one in topic.messages[0].transforms:
        shift, turn = one.transform.translation, one.transform.rotation
        pose = np.eye(4)
        pose[:3, :3] = matrix_from_quaternion(np.array([turn.w, turn.x, turn.y, turn.z]))
        pose[:3, 3] = shift.x, shift.y, shift.z
        poses[one.child_frame_id] = poses[one.header.frame_id] @ pose
        assert (one.header.stamp.sec, one.header.stamp.nanosec) == (7, 20_000_000)
    for place, limb in enumerate(body.limbs):
        np.testing.assert_allclose(poses[limb.name][:3, 3], simulation.data.xpos[place + 1], atol=1e-9)
    topic.wanted = False
    transforms.show(LinkFrames(text, body), simulation.state(), 0)
    assert len(topic.messages) == 1, "nobody listens"


def test_without_the_package_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2_msgs.msg", None)
    topic = Topic()
    transforms = TransformTopic(topic, topic.make)
    transforms.show(SimpleNamespace(), SimpleNamespace(), 0)
    assert topic.said == ["no /tf: tf2_msgs is not installed"] and not topic.topics
