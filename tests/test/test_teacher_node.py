"""A teacher in the controller's place: the same topics, and on them the teacher's own mean actions."""

from pathlib import Path

import numpy as np
import pytest

from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.morphology import Morphology
from hd_controller.observation import Origin
from hd_controller.shipped_files import robot_file
from hd_controller.urdf_reader import read_urdf

pytestmark = pytest.mark.integration
TEACHERS = Path(__file__).resolve().parents[2] / "hd_training" / "teachers"
TEACHER = TEACHERS / "laptop_303_robots.pt"
STEPS = 300


def recorded(path: Path) -> dict[str, dict[int, object]]:
    """Messages of a recording by topic and by the stamp in them [ns], read by a reader of others."""
    reader = pytest.importorskip("mcap_ros2.reader", reason="needs mcap-ros2-support")
    found: dict[str, dict[int, object]] = {}
    for message in reader.read_ros2_messages(str(path)):
        header = getattr(message.ros_msg, "header", None)
        if header is not None:
            stamp = header.stamp.sec * 10**9 + header.stamp.nanosec
            found.setdefault(message.channel.topic, {})[stamp] = message.ros_msg
    return found


def recorded_state(body: Morphology, joints: object, odometry: object, stamp: int) -> RobotState:
    """The state that two messages show."""
    places = [joints.name.index(name) for name in body.joint_names]
    pose, twist = odometry.pose.pose, odometry.twist.twist
    turn = pose.orientation
    return RobotState(
        stamp, np.array([pose.position.x, pose.position.y, pose.position.z]),
        np.array([turn.w, turn.x, turn.y, turn.z]), np.array([twist.linear.x, twist.linear.y, twist.linear.z]),
        np.array([twist.angular.x, twist.angular.y, twist.angular.z]), np.array(joints.position)[places],
        np.array(joints.velocity)[places])


def mean_actions(body: Morphology, states: list[RobotState], teacher: Path) -> np.ndarray:
    """(T, J) mean actions, clipped, of all states in one batch."""
    from hd_training.teacher_policy import TeacherPolicy

    kinematics, origin = Kinematics(body), Origin.from_pose(states[0].position, states[0].orientation)
    observations = np.array([kinematics.observe(state, origin).copy() for state in states], np.float32)
    actions = TeacherPolicy.load(teacher, [body]).actor()(observations[None])[0]
    return np.clip(actions.reshape(len(states), -1)[:, body.slots], -1, 1)


def test_commands_are_the_mean_actions_of_the_recorded_states(system, tmp_path) -> None:
    """A demo robot over 300 steps in lockstep, through the controller's own modes, guards and figures.

    The guard of stale states waits longer than a busy machine lets the simulation wait: after it, forward would be
    where the robot faces then.
    """
    pytest.importorskip("torch", reason="needs torch")
    record, robot = tmp_path / "run.mcap", robot_file("quadruped")
    system.start("teacher_node", teacher=TEACHER, lockstep=True, state_timeout=30.0)
    bridge = system.start("bridge_node", lockstep=True, duration=STEPS * 0.02, record=record)
    system.start("description_node", robot=robot)
    assert bridge.wait(120) == 0, bridge.output
    found, body = recorded(record), read_urdf(robot.read_text())
    commands, joints, odometry = (found[topic] for topic in ("/joint_commands", "/joint_states", "/odom"))
    stamps = sorted(set(commands) & set(joints) & set(odometry))
    assert len(stamps) >= STEPS
    states = [recorded_state(body, joints[stamp], odometry[stamp], stamp) for stamp in stamps]
    assert all(commands[stamp].robot_id == body.robot_id for stamp in stamps)
    efforts = np.array([commands[stamp].effort for stamp in stamps]) / body.effort_limits
    np.testing.assert_allclose(efforts, mean_actions(body, states, TEACHER), atol=1e-5)
    other = mean_actions(body, states, TEACHERS / "laptop_24_robots.pt")
    assert np.abs(efforts - other).max() > 0.1, "another teacher acts otherwise"
    assert states[-1].position[0] - states[0].position[0] > 1.0, "it goes forward"
    newest = max(found["/status"].items())[1]
    assert newest.mode == "run" and newest.generator_id.startswith("teacher ") and newest.in_distribution
    assert "refused commands:     0" in bridge.output


def test_a_swap_binds_the_teacher_to_the_new_robot(system) -> None:
    pytest.importorskip("torch", reason="needs torch")
    from hd_system_tests.probe import Probe

    names = ("hexapod", "tripod")
    identities = [read_urdf(robot_file(name).read_text()).robot_id for name in names]
    system.start("teacher_node", teacher=TEACHER)
    system.start("bridge_node")
    with Probe(system.domain) as probe:
        for name, robot_id in zip(names, identities, strict=True):
            probe.publish_description(robot_file(name).read_text())
            probe.spin_until(lambda robot_id=robot_id: probe.runs(robot_id), 60, f"{name} runs")
            probe.spin_until(lambda robot_id=robot_id: probe.commands[-1].robot_id == robot_id, 10, "it gets commands")
    assert {command.robot_id for command in probe.commands} == set(identities)


@pytest.mark.parametrize(("teacher", "word"), [
    ("", "parameter teacher is empty"), ("missing.pt", "no teacher at"), ("text.pt", "another kind of file")])
def test_a_wrong_file_is_one_sentence(system, tmp_path, teacher: str, word: str) -> None:
    pytest.importorskip("torch", reason="needs torch")
    (tmp_path / "text.pt").write_text("no teacher")
    node = system.start("teacher_node", **({"teacher": tmp_path / teacher} if teacher else {}))
    assert node.wait(60) == 1
    assert word in node.output and len(node.output.strip().splitlines()) == 1, node.output


def test_a_robot_that_it_was_not_trained_with_is_refused_with_a_sentence(system, robots) -> None:
    pytest.importorskip("torch", reason="needs torch")
    controller = system.start("teacher_node", teacher=TEACHER)
    bridge = system.start("bridge_node", duration=5.0)
    system.start("description_node", robot=robots.file("hexapod"))
    assert bridge.wait(60) == 1
    assert "the controller does not run this robot" in bridge.output
    assert "trained with 303 bodies, and this one is none of them" in controller.output
