"""Robots that people build, from the wheel ``example-robot-data``: read, or refused with the sentence that is due.

The wheel is looked for in the Python environment, or in the folder ``HD_REAL_ROBOTS`` (given to pip as ``--target``).
"""

import dataclasses
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest
from hypernetworks import linear_generator

from hd_controller.control_loop import ControlLoop
from hd_controller.errors import MorphologyError
from hd_controller.generator import generate_policy
from hd_controller.kinematics import RobotState
from hd_controller.mujoco_model import build_model
from hd_controller.robot_file import read_robot

pytestmark = pytest.mark.slow
SHARE = Path("share") / "example-robot-data" / "robots"


def prefix() -> Path | None:
    """The install prefix inside the wheel: what ``AMENT_PREFIX_PATH`` holds for its packages."""
    places = [os.environ.get("HD_REAL_ROBOTS", ""), *sys.path]
    found = [Path(place) / "cmeel.prefix" for place in places if place]
    return next((place for place in found if (place / SHARE).is_dir()), None)


@dataclasses.dataclass(frozen=True)
class Read:
    """What a robot is read as."""

    limbs: int
    joints: int
    mass: float


ROBOTS: dict[str, Read | str] = {
    # quadruped with rotors, feet and cameras on fixed joints
    "go1_description/urdf/go1.urdf": Read(13, 12, 13.1005),
    # quadruped with drives, shells and sensors on fixed joints
    "anymal_c_simple_description/urdf/anymal.urdf": Read(13, 12, 52.1348),
    # small quadruped with mesh feet
    "solo_description/robots/solo12.urdf": Read(13, 12, 2.5000),
    # biped whose feet have inertia but no mass
    "bolt_description/robots/bolt.urdf": Read(7, 6, 1.2539),
    # humanoid with 29 joints and STL collision meshes
    "g1_description/urdf/g1_29dof_rev_1_0.urdf": Read(30, 29, 33.3411),
    # hand
    "allegro_hand_description/urdf/allegro_left_hand.urdf": Read(17, 16, 0.9549),
    # arm on a massless root link
    "ur_description/urdf/ur5_robot.urdf": Read(7, 6, 20.9939),
    # humanoid with a mesh in text STL
    "simple_humanoid_description/urdf/simple_humanoid.urdf": Read(30, 29, 130.8000),
    # quadruped with Collada collision meshes
    "hyq_description/robots/hyq_no_sensors.urdf": (
        "The mesh 'package://example-robot-data/robots/hyq_description/meshes/trunk/trunk.dae' of link 'trunk' has the "
        "format '.dae'; expected .stl or .obj: convert it."
    ),
    # mobile manipulator on wheels
    "tiago_description/robots/tiago.urdf": (
        "Joint 'wheel_right_joint' has type 'continuous'; expected revolute (with limits) or fixed: give it position "
        "limits and type revolute, or fix it."
    ),
    # arm with a sliding gripper
    "panda_description/urdf/panda.urdf": (
        "Joint 'panda_finger_joint1' has type 'prismatic'; expected revolute (with limits) or fixed: only hinges are "
        "supported: fix it."
    ),
    # person with ball joints made of three hinges
    "human_description/robots/human.urdf": (
        "Link 'left_upperleg_virtual_2' would get three hinges ('left_hip_Z', 'left_hip_X', 'left_hip_Y'); a limb has "
        "at most two: give a link between them mass and inertia."
    ),
    # wheeled centaur whose wheels are revolute without limits
    "centauro_description/urdf/centauro.urdf": (
        "Joint 'j_wheel_1' has no lower in its <limit>; expected lower, upper, effort and velocity."
    ),
    # pendulum locked by its limits
    "double_pendulum_description/urdf/double_pendulum.urdf": (
        "Joint 'joint1' has limits lower=0, upper=0; expected lower < upper."
    ),
}


@pytest.fixture
def robots_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's robots, its packages made findable as after sourcing a workspace."""
    found = prefix()
    if found is None:
        pytest.skip("the wheel example-robot-data is not there; install it or set HD_REAL_ROBOTS to its folder")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(found))
    return found / SHARE


@pytest.mark.parametrize("name", ROBOTS, ids=lambda name: Path(name).stem)
def test_real_robot(name: str, robots_folder: Path, tmp_path: Path):
    path, expected = robots_folder / name, ROBOTS[name]
    if isinstance(expected, str):
        with pytest.raises(MorphologyError) as refusal:
            read_robot(path, notes=[])
        assert str(refusal.value) == f"{path}: {expected}"
        return
    body = read_robot(path, notes=[])
    assert (len(body.limbs), len(body.joint_names)) == (expected.limbs, expected.joints)
    assert body.total_mass == pytest.approx(expected.mass, abs=1e-4)
    masses = ElementTree.parse(path).getroot().iterfind("link/inertial/mass")
    assert body.total_mass == pytest.approx(sum(float(mass.get("value")) for mass in masses))
    check_simulation_and_control(path, tmp_path)


def check_simulation_and_control(path: Path, folder: Path) -> None:
    """The robot stands in the simulator, and a policy generated for it gives finite efforts within its limits."""
    body = read_robot(path, notes=[])
    model = build_model(body)
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, 100)
    assert np.isfinite(data.qpos).all()
    bundle = generate_policy(path.read_text(), linear_generator(folder, [body]), folder=path.parent)
    loop = ControlLoop(bundle)
    joints = body.rest_positions
    state = RobotState(0, np.zeros(3), np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3), joints, 0 * joints)
    loop.reset(state)
    assert (np.abs(loop.step(state)) <= body.effort_limits).all()


def test_meshes_are_found_beside_the_robot_without_an_installation(robots_folder: Path, monkeypatch):
    monkeypatch.delenv("AMENT_PREFIX_PATH")
    path = robots_folder / "g1_description/urdf/g1_29dof_rev_1_0.urdf"
    assert len(read_robot(path, notes=[]).limbs) == 30
