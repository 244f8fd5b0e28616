"""/tf of the running bridge: torso and links, against odometry and another library's forward kinematics."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hd_controller.rotations import matrix_from_quaternion
from hd_system_tests.processes import wait_until
from hd_system_tests.tf2_messages import tf2_environment

INSTANTS = 25


def _matrix(position: list[float], quaternion: list[float]) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = matrix_from_quaternion(np.array(quaternion)), position
    return pose


def _world_poses(links: list) -> dict[str, np.ndarray]:
    """(4, 4) pose in `odom` of every frame of one message; fails where the frames are no tree below `odom`."""
    poses, waiting = {"odom": np.eye(4)}, list(links)
    while waiting:
        ready = [link for link in waiting if link[0] in poses]
        assert ready, f"no way from odom to {[link[1] for link in waiting]}"
        for parent, child, position, quaternion in ready:
            assert child not in poses, f"{child} has two parents"
            poses[child] = poses[parent] @ _matrix(position, quaternion)
        waiting = [link for link in waiting if link not in ready]
    return poses


def _kinematics(text: str) -> Callable[[dict[str, float]], dict[str, np.ndarray]]:
    """Poses of all links in the root link's frame at joint positions, by yourdfpy."""
    import yourdfpy

    robot = yourdfpy.URDF.load(io.BytesIO(text.encode()), load_meshes=False)

    def poses(joints: dict[str, float]) -> dict[str, np.ndarray]:
        robot.update_cfg(joints)
        return {name: robot.get_transform(name, robot.base_link) for name in robot.link_map}

    return poses


@pytest.mark.slow
@pytest.mark.integration
def test_torso_and_links_are_where_odometry_and_joint_states_say(system, demo_robots, tmp_path: Path) -> None:
    """Every link of the description at every instant; tf2_msgs is built first where there is none."""
    system.set_environment(**tf2_environment(tmp_path / "tf2"))
    file = tmp_path / "instants.json"
    listener = system.start("transform_listener", [str(file), str(INSTANTS)])
    system.start("controller_node")
    system.start("generator_node", generator=demo_robots.generator)
    bridge = system.start("bridge_node")
    system.start("description_node", robot=demo_robots.file("quadruped"))
    wait_until(lambda: file.exists() or listener.process.poll() is not None, 120, "transforms, odometry and joints")
    assert listener.wait() == 0, listener.output
    assert "no /tf" not in bridge.output
    kinematics, instants = _kinematics(demo_robots.texts["quadruped"]), json.loads(file.read_text())
    turned = []
    for instant in instants:
        poses, root = _world_poses(instant["links"]), _matrix(*instant["odom"][1:])
        expected = kinematics(instant["joints"])
        assert instant["odom"][0] == "odom" and set(poses) == {"odom", *expected}
        for name, pose in expected.items():
            np.testing.assert_allclose(poses[name], root @ pose, atol=1e-6, err_msg=name)
        turned.append(list(instant["joints"].values()))
    assert len(instants) >= INSTANTS and np.ptp(turned, axis=0).max() > 0.01, "the joints did not move"
