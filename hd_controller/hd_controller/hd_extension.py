"""The ``<hd_morphology version="1">`` element: what URDF has no standard tag for.

    <hd_morphology version="1">
      <joint name="hip" armature="1.0" stiffness="1.0"/>
    </hd_morphology>

Standard tags win: a value given in both places must agree.
"""

from dataclasses import dataclass

from lxml import etree

from hd_controller.errors import MorphologyError
from hd_controller.urdf_rules import number

TAG = "hd_morphology"
VERSION = "1"
_ALLOWED = {"name", "armature", "stiffness", "damping"}


@dataclass(frozen=True)
class JointExtras:
    """Values of one joint: armature [kg m^2], stiffness [N m/rad], and damping [N m s/rad] if it is repeated here."""

    armature: float = 0.0
    stiffness: float = 0.0
    damping: float | None = None


Extension = dict[str, JointExtras] | None
"""By joint name; None where the description has no such element."""


def read(root: etree._Element) -> Extension:
    """The extension of a ``<robot>`` element.

    Raises:
        MorphologyError: given twice, of another version, with unknown attributes, or numbers that are not >= 0.
    """
    found = root.findall(TAG)
    if not found:
        return None
    if len(found) > 1:
        raise MorphologyError(f"The robot has {len(found)} <{TAG}> elements; expected one.")
    if found[0].get("version") != VERSION:
        raise MorphologyError(
            f"<{TAG}> has version '{found[0].get('version')}'; this software reads version '{VERSION}': upgrade it."
        )
    extras: dict[str, JointExtras] = {}
    for element in found[0]:
        name = element.get("name", "")
        unknown = set(element.attrib) - _ALLOWED
        if element.tag != "joint" or unknown or not name or name in extras:
            raise MorphologyError(
                f'<{TAG}> holds <{element.tag} name="{name[:60]}"> with {sorted(unknown) or "no name of its own"}; '
                "expected one <joint name armature stiffness/> for each joint."
            )
        values = {
            key: number(element.get(key), f"The {key} of joint '{name}' in <{TAG}>")
            for key in _ALLOWED - {"name"}
            if element.get(key) is not None
        }
        extras[name] = JointExtras(**values)
    return extras


def values_for(extension: Extension, joint: str, damping: float) -> JointExtras:
    """What the extension says of a joint, zeros where nothing.

    Raises:
        MorphologyError: its damping disagrees with the joint's ``<dynamics>``.
    """
    extras = (extension or {}).get(joint, JointExtras())
    if extras.damping is not None and abs(extras.damping - damping) > 1e-9:
        raise MorphologyError(
            f"Joint '{joint}' has damping {damping:g} in <dynamics> and {extras.damping:g} in <{TAG}>; "
            "make them agree or remove the second."
        )
    return extras


def check_names(extension: Extension, joints: list[str]) -> list[str]:
    """Sentences about values that were assumed.

    Raises:
        MorphologyError: the extension names a joint that does not move or does not exist.
    """
    if extension is None:
        return (
            [f"The description has no <{TAG}>: armature and stiffness of all joints are taken as 0."] if joints else []
        )
    unknown = sorted(set(extension) - set(joints))
    if unknown:
        raise MorphologyError(f"<{TAG}> names the joint '{unknown[0]}', which is no revolute joint of this robot.")
    missing = sorted(set(joints) - set(extension))
    if missing:
        return [f"<{TAG}> leaves out {len(missing)} joints ('{missing[0]}'...): their armature and stiffness are 0."]
    return []
