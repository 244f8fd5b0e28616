"""How a robot's drivers name and count its joints, from a checked YAML file; and how its IMU is mounted.

    version: 1
    joints:
      - {joint: front_hip, hardware: LF_HAA, sign: -1, offset: 0.05}
      - {joint: front_knee, hardware: LF_KFE}
    ignored: [gripper]
    imu_mount_rpy: [0.0, 0.0, 1.5708]

`joint` is the name in the robot description, `hardware` the name in joint_states and in commands.
position = sign * hardware position + offset, velocity = sign * hardware velocity, hardware effort = sign * effort.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from hd_controller.errors import HdError
from hd_controller.rotations import matrix_from_quaternion, matrix_from_rpy, quaternion_from_matrix

MAX_FILE_BYTES = 100_000
_ENTRY_KEYS = {"joint", "hardware", "sign", "offset"}
_FILE_KEYS = {"version", "joints", "ignored", "imu_mount_rpy"}


@dataclass(frozen=True)
class MappedJoint:
    """One joint: its name in the description, its name, direction and zero [rad] on the hardware."""

    joint: str
    hardware: str
    sign: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class JointMapping:
    """All joints of one robot; `ignored` are joints that the drivers show and the policy does not have."""

    joints: tuple[MappedJoint, ...]
    ignored: tuple[str, ...] = ()
    imu_mount_rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Roll, pitch, yaw [rad] of the IMU in the torso frame."""

    @staticmethod
    def identity(names: Sequence[str]) -> JointMapping:
        """The drivers' names, directions and zeros are those of the description."""
        return JointMapping(tuple(MappedJoint(name, name) for name in names))

    @staticmethod
    def load(path: str | Path) -> JointMapping:
        """Read and check a file; raises HdError with one sentence that names file and entry."""
        try:
            size = Path(path).stat().st_size
            if size > MAX_FILE_BYTES:
                raise HdError(f"joint mapping {path} has {size} bytes; {MAX_FILE_BYTES} are allowed at most")
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise HdError(f"joint mapping {path} cannot be read: {problem}") from None
        try:
            return _from_content(_parsed(text))
        except HdError as problem:
            raise HdError(f"joint mapping {path}: {problem}") from None

    def for_joints(self, names: Sequence[str]) -> JointMapping:
        """The same mapping in the order of a policy's joints; raises HdError when the joints are not the same."""
        by_name = {entry.joint: entry for entry in self.joints}
        missing, extra = sorted(set(names) - set(by_name)), sorted(set(by_name) - set(names))
        if missing or extra:
            parts = [f"{word} {', '.join(joints[:4])}" for word, joints in (("lacks", missing), ("has", extra))
                     if joints]
            raise HdError(f"the joint mapping is not for this robot: it {' and '.join(parts)}; list exactly the joints "
                          "of the robot description")
        return JointMapping(tuple(by_name[name] for name in names), self.ignored, self.imu_mount_rpy)

    @property
    def hardware_names(self) -> tuple[str, ...]:
        """(J,) names that the drivers use."""
        return tuple(entry.hardware for entry in self.joints)

    @property
    def signs(self) -> np.ndarray:
        """(J,) directions, 1 or -1."""
        return np.array([entry.sign for entry in self.joints])

    @property
    def offsets(self) -> np.ndarray:
        """(J,) positions of the description where the hardware says 0 [rad]."""
        return np.array([entry.offset for entry in self.joints])

    @property
    def is_plain(self) -> bool:
        """True when values need no change of sign or zero."""
        return all(entry.sign == 1.0 and entry.offset == 0.0 for entry in self.joints)

    @property
    def imu_quaternion(self) -> np.ndarray:
        """(4,) w, x, y, z: takes vectors of the IMU's frame to the torso frame."""
        return quaternion_from_matrix(matrix_from_rpy(self.imu_mount_rpy))

    def check_order(self, order: Sequence[str]) -> None:
        """Raise HdError unless `order` names exactly the hardware's joints, each once."""
        missing, extra = sorted(set(self.hardware_names) - set(order)), sorted(set(order) - set(self.hardware_names))
        if missing or extra or len(order) != len(self.joints):
            raise HdError(f"parameter joint_order does not fit this robot: missing {', '.join(missing[:4]) or 'none'}, "
                          f"unknown {', '.join(extra[:4]) or 'none'}; expected its {len(self.joints)} joints, each "
                          "once, in the order of the command controller")


def from_mount(orientation: np.ndarray, angular: np.ndarray, mount: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orientation (4,) and angular velocity (3,) [rad/s] of the torso from those of an IMU that is mounted turned.

    orientation takes vectors of the IMU's frame to the world, mount (4,) takes them to the torso frame.
    """
    w, x, y, z = orientation
    a, b, c, d = mount[0], -mount[1], -mount[2], -mount[3]
    torso = np.array([w * a - x * b - y * c - z * d, w * b + x * a + y * d - z * c,
                      w * c - x * d + y * a + z * b, w * d + x * c - y * b + z * a])
    return torso, turned(angular, mount)


def turned(vector: np.ndarray, mount: np.ndarray) -> np.ndarray:
    """(3,) vector of the IMU's frame in the torso frame."""
    return matrix_from_quaternion(mount) @ vector


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML without aliases, and without keys given twice, of which the last one would win silently."""

    def compose_node(self, parent: object, index: object) -> yaml.Node:
        """Refuse aliases."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Refuse keys that come twice."""
        keys = [key.value for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.YAMLError(f"key '{twice[0]}' is given twice in line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def _parsed(text: str) -> object:
    """What a text says; raises HdError for what is not plain YAML."""
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as problem:
        raise HdError(f"not valid YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise HdError("not valid YAML: nested too deeply") from None
    except Exception as problem:  # the library raises anything for a date in month 13 or a number of 5000 digits
        sentence = " ".join(str(problem).split())
        raise HdError(f"not valid YAML: a value is none of its type ({type(problem).__name__}: {sentence})") from None


def _from_content(content: object) -> JointMapping:
    """Check the parsed file."""
    if not isinstance(content, dict):
        raise HdError("expected the keys version and joints at the top")
    unknown = sorted(str(key) for key in set(content) - _FILE_KEYS)
    if unknown:
        raise HdError(f"unknown key '{unknown[0]}'; expected {', '.join(sorted(_FILE_KEYS))}")
    if content.get("version") != 1 or isinstance(content["version"], bool):
        raise HdError(f"version is {content.get('version')!r}; expected 1")
    entries = content.get("joints")
    if not isinstance(entries, list) or not entries:
        raise HdError("joints must be a list with one entry per joint")
    joints = tuple(_entry(place, entry) for place, entry in enumerate(entries, start=1))
    ignored = content.get("ignored", [])
    if not isinstance(ignored, list) or not all(isinstance(name, str) and name for name in ignored):
        raise HdError("ignored must be a list of names")
    _once("joint", [entry.joint for entry in joints])
    _once("hardware", [entry.hardware for entry in joints] + ignored)
    rpy = content.get("imu_mount_rpy", [0.0, 0.0, 0.0])
    if not isinstance(rpy, list) or len(rpy) != 3 or not all(_is_angle(value) for value in rpy):
        raise HdError(f"imu_mount_rpy is {rpy}; expected three angles [rad]")
    return JointMapping(joints, tuple(ignored), tuple(float(value) for value in rpy))


def _entry(place: int, entry: object) -> MappedJoint:
    """Check one joint."""
    if not isinstance(entry, dict) or not set(entry) <= _ENTRY_KEYS or not {"joint", "hardware"} <= set(entry):
        raise HdError(f"joint number {place} must have joint and hardware, may have sign and offset, and nothing else")
    for key in ("joint", "hardware"):
        if not isinstance(entry[key], str) or not entry[key]:
            raise HdError(f"{key} of joint number {place} is {entry[key]!r}; expected a name")
    sign, offset = entry.get("sign", 1), entry.get("offset", 0.0)
    if isinstance(sign, bool) or sign not in (1, -1):
        raise HdError(f"sign of joint '{entry['joint']}' is {sign!r:.40}; expected 1 or -1")
    if not _is_angle(offset):
        raise HdError(f"offset of joint '{entry['joint']}' is {offset!r:.40}; expected an angle from -2 pi to 2 pi "
                      "[rad]")
    return MappedJoint(entry["joint"], entry["hardware"], float(sign), float(offset))


def _is_angle(value: object) -> bool:
    """A finite number of at most one turn."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 2 * math.pi


def _once(what: str, names: list[str]) -> None:
    """Every name may appear once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HdError(f"{what} name '{twice[0]}' appears twice; each must appear once")
