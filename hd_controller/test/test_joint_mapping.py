"""The hardware's joint names, directions and zeros: what a file may say, and what it does to states."""

from pathlib import Path

import numpy as np
import pytest

from hd_controller.errors import HdError
from hd_controller.joint_map import StateError
from hd_controller.joint_mapping import JointMapping, from_mount
from hd_controller.rotations import matrix_from_quaternion, matrix_from_rpy, quaternion_from_matrix
from hd_controller.state_assembly import StateAssembly

GOOD = """
version: 1
joints:
  - {joint: hip, hardware: LF_HAA, sign: -1, offset: 0.25}
  - {joint: knee, hardware: LF_KFE}
ignored: [gripper]
"""


def _load(folder: Path, text: str) -> JointMapping:
    file = folder / "mapping.yaml"
    file.write_text(text)
    return JointMapping.load(file)


def test_states_are_turned_into_those_of_the_description(tmp_path: Path) -> None:
    mapping = _load(tmp_path, GOOD).for_joints(("knee", "hip"))
    assembly = StateAssembly(("knee", "hip"), mapping=mapping)
    assembly.take_joints(1, ["gripper", "LF_HAA", "LF_KFE"], np.array([9.0, 0.5, 0.7]), np.array([9.0, 2.0, 3.0]), 0.0)
    assembly.take_base(1, [0.0, 0.0, 1.0, 1.0, *[0.0] * 9], 0.0)
    state = assembly.state()
    assert state.joint_positions.tolist() == [0.7, -0.25] and state.joint_velocities.tolist() == [3.0, -2.0]
    with pytest.raises(StateError, match="unknown tail"):
        assembly.take_joints(2, ["tail", "LF_HAA", "LF_KFE"], np.zeros(3), np.zeros(3), 0.0)
    with pytest.raises(StateError, match="twice"):
        assembly.take_joints(2, ["gripper", "LF_HAA", "LF_KFE", "LF_HAA"], np.zeros(4), np.zeros(4), 0.0)


def test_plain_mapping_keeps_values_bit_by_bit() -> None:
    mapping = JointMapping.identity(("a", "b"))
    assert mapping.is_plain and mapping.hardware_names == ("a", "b") and mapping.for_joints(("b", "a")).is_plain


WRONG = {
    "list at the top": ("- 1", "expected the keys"),
    "no version": (GOOD.replace("version: 1", ""), "version is None"),
    "other version": (GOOD.replace("version: 1", "version: 2"), "version is 2"),
    "unknown key": (GOOD + "gain: 3\n", "unknown key 'gain'"),
    "no joints": ("version: 1\njoints: []\n", "one entry per joint"),
    "unknown joint key": (GOOD.replace("offset", "ofset"), "joint number 1"),
    "sign": (GOOD.replace("sign: -1", "sign: -2"), "sign of joint 'hip' is -2"),
    "truth as sign": (GOOD.replace("sign: -1", "sign: true"), "sign of joint 'hip'"),
    "offset in degrees": (GOOD.replace("0.25", "90"), "offset of joint 'hip' is 90"),
    "offset no number": (GOOD.replace("0.25", ".nan"), "offset of joint 'hip'"),
    "joint twice": (GOOD.replace("joint: knee", "joint: hip"), "joint name 'hip' appears twice"),
    "hardware twice": (GOOD.replace("LF_KFE", "LF_HAA"), "hardware name 'LF_HAA' appears twice"),
    "ignored and used": (GOOD.replace("gripper", "LF_KFE"), "hardware name 'LF_KFE' appears twice"),
    "key twice": (GOOD.replace("sign: -1", "sign: -1, sign: 1"), "key 'sign' is given twice"),
    "alias": (GOOD.replace("joint: hip", "joint: &a hip").replace("LF_KFE", "*a"), "aliases"),
    "object": ("!!python/object:os.system {}", "YAML"),
    "not YAML": ("{", "YAML"),
    "mount": (GOOD + "imu_mount_rpy: [0, 0]\n", "imu_mount_rpy"),
    "too long": ("#" * 200_000, "has 200000 bytes; 100000 are allowed at most"),
    "nested": (GOOD + "ignored: " + "[" * 20_000, "nested too deeply"),
    "month 13": (GOOD.replace("0.25", "2020-13-45"), "a value is none of its type"),
    "no number": (GOOD.replace("sign: -1", "sign: !!int one"), "a value is none of its type"),
    "sign as text": (GOOD.replace("sign: -1", "sign: '-1'"), "sign of joint 'hip' is '-1'; expected 1 or -1"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_wrong_files_are_refused_with_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(HdError, match=words) as caught:
        _load(tmp_path, text)
    assert "mapping.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HdError, match=r"nothing\.yaml"):
        JointMapping.load(tmp_path / "nothing.yaml")


def test_a_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_a, **_k: pytest.fail("the file was read"))
    (tmp_path / "mapping.yaml").write_bytes(b"#" * 100_001)
    with pytest.raises(HdError, match=r"mapping\.yaml has 100001 bytes"):
        JointMapping.load(tmp_path / "mapping.yaml")


def test_a_mapping_for_another_robot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HdError, match="lacks ankle and has knee"):
        _load(tmp_path, GOOD).for_joints(("hip", "ankle"))


@pytest.mark.parametrize("order", [("LF_HAA",), ("LF_HAA", "LF_KFE", "LF_KFE"), ("hip", "knee"), ()])
def test_an_order_that_does_not_name_each_joint_once_is_refused(tmp_path: Path, order: tuple[str, ...]) -> None:
    with pytest.raises(HdError, match="joint_order"):
        _load(tmp_path, GOOD).check_order(order)
    _load(tmp_path, GOOD).check_order(("LF_KFE", "LF_HAA"))


def test_a_turned_imu_gives_the_torso_s_orientation_and_rate() -> None:
    mount, torso = (0.3, -1.2, 2.0), matrix_from_rpy((0.4, 0.1, -0.7))
    imu = quaternion_from_matrix(torso @ matrix_from_rpy(mount))
    rate = np.array([0.5, -2.0, 1.0])
    orientation, angular = from_mount(imu, matrix_from_rpy(mount).T @ rate, quaternion_from_matrix(
        matrix_from_rpy(mount)))
    assert np.allclose(matrix_from_quaternion(orientation), torso, atol=1e-12)
    assert np.allclose(angular, rate, atol=1e-12)
