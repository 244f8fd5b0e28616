"""Frames of links for /tf, against yourdfpy's own kinematics and against the simulator's bodies."""

import io

import numpy as np
import pytest
import yourdfpy

from hd_controller.morphology import Morphology
from hd_controller.rotations import matrix_from_quaternion, matrix_from_rpy
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf
from hd_sim_bridge.link_frames import LinkFrames
from hd_sim_bridge.simulation import Simulation

INERTIAL = ('<inertial><mass value="2"/><origin xyz="0 0 -0.1"/>'
            '<inertia ixx="0.1" iyy="0.1" izz="0.1" ixy="0" ixz="0" iyz="0"/></inertial>')
LIMITS = '<limit lower="-1" upper="1" effort="10" velocity="5"/>'
ROTATED = f"""<robot name="rotated">
  <link name="footprint"/>
  <link name="base-link">{INERTIAL}</link><link name="thigh">{INERTIAL}</link><link name="shin">{INERTIAL}</link>
  <link name="camera"/>
  <joint name="stand" type="fixed"><parent link="footprint"/><child link="base-link"/>
    <origin xyz="0.1 0.2 0.5" rpy="0.1 0.2 0.3"/></joint>
  <joint name="knee" type="revolute"><parent link="thigh"/><child link="shin"/>
    <origin xyz="0 0.05 -0.4" rpy="-0.7 0 0.4"/><axis xyz="0 2 1"/>{LIMITS}</joint>
  <joint name="hip" type="revolute"><parent link="base-link"/><child link="thigh"/>
    <origin xyz="0.2 0 0" rpy="0 1.2 0"/>{LIMITS}</joint>
  <joint name="mount" type="fixed"><parent link="shin"/><child link="camera"/>
    <origin xyz="0.03 0 0.1" rpy="0 0 1.5"/></joint>
</robot>"""


def _poses(frames: LinkFrames, positions: np.ndarray, root: np.ndarray) -> dict[str, np.ndarray]:
    """(4, 4) pose of each link in the world, from that of the root link."""
    poses, waiting = {frames.root: root}, frames.transforms(positions)
    while waiting:
        link = waiting.pop(0)
        if link.parent not in poses:
            waiting.append(link)
            continue
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = matrix_from_quaternion(link.orientation), link.position
        poses[link.child] = poses[link.parent] @ local
    return poses


def test_link_frames_are_those_of_the_file() -> None:
    body = read_urdf(ROTATED, notes=[])
    frames = LinkFrames(ROTATED, body)
    other = yourdfpy.URDF.load(io.BytesIO(ROTATED.encode()), load_meshes=False)
    for seed in range(5):
        positions = np.random.default_rng(seed).uniform(-1, 1, 2)
        other.update_cfg(dict(zip(body.joint_names, positions, strict=True)))
        poses = _poses(frames, positions, np.eye(4))
        assert set(poses) == {"footprint", "base-link", "thigh", "shin", "camera"}
        for name, pose in poses.items():
            np.testing.assert_allclose(pose, other.get_transform(name, "footprint"), atol=1e-9)


def test_the_root_is_where_the_torso_wants_it() -> None:
    """The torso frame lies in the body, behind a root link that is a mere frame."""
    body = read_urdf(ROTATED, notes=[])
    frames = LinkFrames(ROTATED, body)
    position, rotation = np.array([1.0, 2.0, 3.0]), matrix_from_rpy((0.3, -0.2, 0.9))
    root = np.eye(4)
    root[:3, 3], root[:3, :3] = frames.root_pose(position, rotation)
    torso = "base-link" if body.limbs[0].name == "base_link" else frames.root
    pose = _poses(frames, np.zeros(2), root)[torso]
    np.testing.assert_allclose(pose[:3, 3], position, atol=1e-12)
    np.testing.assert_allclose(pose[:3, :3], rotation, atol=1e-12)


def test_in_our_own_files_links_are_the_simulated_bodies(body: Morphology) -> None:
    text = write_urdf(body)
    simulation = Simulation(read_urdf(text, notes=[]), 0)
    for number in range(30):
        simulation.step(np.array([50.0, -60.0, 70.0]) * np.sin(0.3 * number))
    frames, state = LinkFrames(text, simulation.morphology), simulation.state()
    root = np.eye(4)
    root[:3, 3], root[:3, :3] = frames.root_pose(state.position, matrix_from_quaternion(state.orientation))
    poses = _poses(frames, state.joint_positions, root)
    for limb in simulation.morphology.limbs:
        found = simulation.data.body(limb.name)
        assert poses[limb.name][:3, 3] == pytest.approx(found.xpos, abs=1e-9)
        np.testing.assert_allclose(poses[limb.name][:3, :3], found.xmat.reshape(3, 3), atol=1e-9)
