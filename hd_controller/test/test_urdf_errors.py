"""Every description that is refused, with the sentence the user gets, within a bounded time."""

import time

import pytest
from urdf_samples import (
    INERTIAL,
    LIMIT,
    collision,
    extended,
    inertial,
    joint,
    link,
    mesh_robot,
    one_link,
    robot,
    two_hinges,
    two_links,
)

from hd_controller.errors import MorphologyError
from hd_controller.urdf_reader import read_urdf

BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "&a;" * 10}">' for n in range(12))
    + ']><robot name="r"><link name="&a11;"/></robot>'
)


def limit(**changes: str | None) -> str:
    """A limit element; None leaves an attribute out."""
    values = {"lower": "-1", "upper": "1", "effort": "10", "velocity": "5", **changes}
    attributes = [f'{key}="{value}"' for key, value in values.items() if value is not None]
    return f"<limit {' '.join(attributes)}/>"


def chain(*joints: tuple[str, str, str, dict], bare: tuple[str, ...]) -> str:
    """Links named by the joints, some of them without content."""
    names = dict.fromkeys(name for _, parent, child, _ in joints for name in (parent, child))
    parts = [link(name, "" if name in bare else INERTIAL) for name in names]
    return robot(*parts, *(joint(name, parent, child, **more) for name, parent, child, more in joints))


LOOP = robot(*(link(name) for name in "abc"), joint("j", "a", "b"), joint("k", "b", "c"), joint("l", "a", "c"))
RING = robot(*(link(name) for name in "ab"), joint("j", "a", "b"), joint("k", "b", "a"))
SIDE_RING = robot(*(link(name) for name in "abc"), joint("j", "b", "c"), joint("k", "c", "b"))
THREE_HINGES = chain(
    ("x", "torso", "b1", {"axis": "1 0 0"}),
    ("y", "b1", "b2", {"xyz": "0 0 0"}),
    ("z", "b2", "leg", {"axis": "0 0 1", "xyz": "0 0 0"}),
    bare=("b1", "b2"),
)

REFUSED = {
    "empty text": ("", "The description is not well-formed XML (no element found"),
    "not xml": ("a robot", "The description is not well-formed XML (syntax error"),
    "cut off": ("<robot><link", "The description is not well-formed XML (unclosed token"),
    "two documents": ("<robot/><robot/>", "The description is not well-formed XML (junk after document element"),
    "zero bytes": ("\x00" * 100, "The description is not well-formed XML"),
    "lone surrogate": ("<robot>\udcff</robot>", "The description is not well-formed XML"),
    "doctype": ("<!DOCTYPE robot><robot/>", "has a DOCTYPE; entities are never expanded: remove the DOCTYPE."),
    "external entity": (
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><robot name="&x;"/>',
        "has a DOCTYPE; entities are never expanded: remove the DOCTYPE.",
    ),
    "entity bomb": (BOMB, "has a DOCTYPE; entities are never expanded: remove the DOCTYPE."),
    "undeclared entity": ('<robot name="&bomb;"/>', "The description is not well-formed XML (undefined entity"),
    "too long": ("<robot>" + "x" * 50_000_000, "The description has 50000007 characters; at most 2000000 bytes are"),
    "too long in bytes": ("<robot>" + "ü" * 1_500_000, "at most 2000000 bytes are read"),
    "deep nesting": ("<robot>" + "<a>" * 5000 + "</a>" * 5000 + "</robot>", "nests deeper than 200 elements"),
    "many elements": ("<robot>" + "<a/>" * 60_000 + "</robot>", "has more than 50000 elements; expected fewer"),
    "long name": (
        one_link("").replace("torso", "t" * 300),
        "A name in <link> is longer than 200 characters; shorten it",
    ),
    "other root": ("<sdf/>", "The root element is <sdf>; expected <robot> as in a URDF."),
    "no link": ("<robot/>", "The robot has no <link>; expected at least one."),
    "xacro": (
        '<robot xmlns:xacro="http://www.ros.org/wiki/xacro"><xacro:leg name="l"/></robot>',
        "has the xacro element <xacro:leg>; expand it first: xacro FILE > robot.urdf.",
    ),
    "many links": (robot(*(link(f"l{n}") for n in range(600))), "The robot has 600 links; at most 512 are read."),
    "nameless link": (robot("<link/>"), "A <link> has no name; give every link a unique name."),
    "same links": (robot(link("a"), link("a")), "Two links are named 'a'; give every link a unique name."),
    "same joints": (
        robot(link("a"), link("b"), link("c"), joint("j", "a", "b"), joint("j", "b", "c")),
        "Two joints are named 'j'; give every joint a unique name.",
    ),
    "links alike when sanitised": (
        robot(link("a"), link("b-1"), link("b.1"), joint("j", "a", "b-1"), joint("k", "a", "b.1")),
        "The link name 'b_1' is used more than once (characters other than letters, digits and underscores count",
    ),
    "joints alike when sanitised": (
        robot(link("a"), link("b"), link("c"), joint("j/1", "a", "b"), joint("j 1", "b", "c")),
        "The joint name 'j_1' is used more than once",
    ),
    # joints
    "no limit": (two_links(limit=""), "Joint 'hip' has no <limit>; expected lower, upper, effort and velocity."),
    "two limits": (two_links(limit=LIMIT + LIMIT), "joint 'hip' has 2 <limit> elements; expected one."),
    "no lower": (two_links(limit=limit(lower=None)), "Joint 'hip' has no lower in its <limit>; expected lower, upper"),
    "no effort": (
        two_links(limit=limit(effort=None)),
        "Joint 'hip' has no effort in its <limit>; expected lower, upper",
    ),
    "effort zero": (
        two_links(limit=limit(effort="0")),
        "'hip' has the effort limit 0 N m; expected the largest torque of its",
    ),
    "infinite limit": (
        two_links(limit=limit(upper="inf")),
        "The limit upper of joint 'hip' is 'inf'; expected a finite number",
    ),
    "limits crossed": (two_links(limit=limit(lower="2")), "'hip' has limits lower=2, upper=1; expected lower < upper."),
    "limits equal": (two_links(limit=limit(lower="1")), "'hip' has limits lower=1, upper=1; expected lower < upper."),
    "negative velocity": (
        two_links(limit=limit(velocity="-5")),
        "velocity limit -5 rad/s; expected both to be positive.",
    ),
    "negative damping": (
        two_links(more='<dynamics damping="-1"/>'),
        "Joint 'hip' has negative damping, stiffness or armature",
    ),
    "underscore in number": (
        two_links(xyz="1_000 0 0"),
        "The origin of joint 'hip' xyz is '1_000'; expected a finite number.",
    ),
    "comma in number": (two_links(xyz="0,5 0 0"), "The origin of joint 'hip' xyz is '0,5'; expected a finite number."),
    "two coordinates": (two_links(xyz="0 0"), "The origin of joint 'hip' xyz='0 0' has 2 numbers; expected 3."),
    "zero axis": (two_links(axis="0 0 0"), "The axis of joint 'hip' is '0 0 0'; expected a direction."),
    "far too far": (two_links(xyz="1e30 0 0"), "xyz is '1e30'; expected at most 1e+09: give a real value."),
    "continuous": (
        two_links(kind="continuous"),
        "'hip' has type 'continuous'; expected revolute (with limits) or fixed: give it",
    ),
    "prismatic": (
        two_links(kind="prismatic"),
        "'hip' has type 'prismatic'; expected revolute (with limits) or fixed: only hing",
    ),
    "floating": (
        two_links(kind="floating"),
        "Joint 'hip' has type 'floating'; expected revolute (with limits) or fixed: change",
    ),
    "planar": (
        two_links(kind="planar"),
        "Joint 'hip' has type 'planar'; expected revolute (with limits) or fixed: change its",
    ),
    "no type": (two_links(kind=""), "Joint 'hip' has type ''; expected revolute (with limits) or fixed"),
    "mimic": (
        two_links(more='<mimic joint="knee"/>'),
        "Joint 'hip' mimics another joint; coupled joints cannot be represented",
    ),
    "no parent": (
        robot(link("a"), '<joint name="j" type="fixed"><child link="a"/></joint>'),
        "Joint 'j' has no parent link; expected <parent link=\"...\"/>.",
    ),
    "missing link": (
        robot(link("torso"), joint("hip", "torso", "leg")),
        "Joint 'hip' names the child link 'leg', which does not exist.",
    ),
    "loop": (LOOP, "Link 'c' has two parents ('b' and 'a'); kinematic loops cannot be represented: expected a tree."),
    "ring": (RING, "The links form a loop; expected a tree with one root link."),
    "ring beside the root": (SIDE_RING, "Link 'b' is part of a loop; expected a tree with one root link."),
    "several roots": (robot(link("a"), link("b")), "The robot has 2 root links ('a', 'b'...); connect them by joints."),
    # masses
    "massless link": (
        robot(link("a"), link("b", ""), joint("j", "a", "b")),
        "Link 'b' has no mass; only the link between",
    ),
    "massless torso": (
        robot(link("a", ""), link("b"), joint("j", "a", "b")),
        "Link 'a' has no mass; only the link between",
    ),
    "no mass": (
        one_link('<inertial><inertia ixx="1" iyy="1" izz="1"/></inertial>'),
        "The mass of link 'torso' is missing",
    ),
    "no inertia": (
        one_link('<inertial><mass value="1"/></inertial>'),
        "link 'torso' has an <inertial> without <inertia>; expected the six numbers of the tensor.",
    ),
    "no izz": (
        one_link('<inertial><mass value="1"/><inertia ixx="1" iyy="1"/></inertial>'),
        "The inertia izz of link 'torso' is missing; expected a number.",
    ),
    "infinite mass": (one_link(inertial("inf")), "The mass of link 'torso' is 'inf'; expected a finite number."),
    "nan mass": (one_link(inertial("nan")), "The mass of link 'torso' is 'nan'; expected a finite number."),
    "overflowing mass": (one_link(inertial("1e400")), "The mass of link 'torso' is '1e400'; expected a finite number."),
    "negative mass": (one_link(inertial("-1")), "The mass of link 'torso' is -1 kg; expected a positive mass."),
    "zero mass": (one_link(inertial("0")), "Link 'torso' has no mass"),
    "tiny mass": (one_link(inertial("1e-12")), "Link 'torso' has mass 1e-12 kg; expected at least 1e-09"),
    "negative inertia": (
        one_link(inertial(tensor=("-1", "1", "1", "0", "0", "0"))),
        "The inertia ixx of link 'torso' is -1 kg m^2; expected a positive one.",
    ),
    "zero inertia": (
        one_link(inertial(tensor=("0", "0", "0", "0", "0", "0"))),
        "The inertia of link 'torso' is not positive definite (smallest principal moment 0 kg m^2",
    ),
    "indefinite inertia": (
        one_link(inertial(tensor=("1", "1", "1", "2", "0", "0"))),
        "The inertia of link 'torso' is not positive definite (smallest principal moment -1 kg m^2",
    ),
    "triangle": (
        one_link(inertial(tensor=("1", "1", "3", "0", "0", "0"))),
        "The inertia of link 'torso' belongs to no real body: principal moments 1, 1, 3 kg m^2 break the triangle",
    ),
    # two hinges
    "three hinges": (
        THREE_HINGES,
        "Link 'b2' would get three hinges ('x', 'y', 'z'); a limb has at most two: give a link",
    ),
    "parallel axes": (
        two_hinges({"axis": "-2 0 0"}),
        "The joints 'roll' and 'pitch' of one limb have parallel axes; expected two different axes.",
    ),
    "apart": (
        two_hinges({"xyz": "0 0 -0.01"}),
        "Link 'middle' has no mass and its two joints 'roll' and 'pitch' lie 0.01 m apart; expected coincident origins",
    ),
    "middle with geometry": (two_hinges(middle=collision('<sphere radius="0.1"/>')), "Link 'middle' has no mass"),
    # shapes
    "no shape": (
        one_link(INERTIAL + "<collision/>"),
        "A collision of link 'torso' has 0 shapes in its <geometry>; expected",
    ),
    "cone": (
        one_link(INERTIAL + collision("<cone/>")),
        "A collision of link 'torso' is a <cone>; expected box, cylinder",
    ),
    "flat box": (
        one_link(INERTIAL + collision('<box size="1 0 1"/>')),
        "A box of link 'torso' has size '1 0 1'; expected three positive numbers.",
    ),
    "no radius": (one_link(INERTIAL + collision("<sphere/>")), "The radius of a sphere of link 'torso' is missing"),
    "negative radius": (
        one_link(INERTIAL + collision('<sphere radius="-1"/>')),
        "The radius of a sphere of link 'torso' is -1; expected > 0.",
    ),
    "no file name": (
        one_link(INERTIAL + collision("<mesh/>")),
        "A mesh of link 'torso' has no filename; expected one.",
    ),
    "flat mesh": (
        mesh_robot("a.stl", "1 1 0"),
        "A mesh of link 'torso' has scale '1 1 0'; expected three factors, none 0.",
    ),
    # extension
    "extension version": (
        extended("", "2"),
        "<hd_morphology> has version '2'; this software reads version '1': upgrade",
    ),
    "extension joint": (
        extended('<joint name="knee" armature="1"/>'),
        "<hd_morphology> names the joint 'knee', which is no revolute joint of this robot.",
    ),
    "extension damping": (
        extended('<joint name="hip" damping="0.7"/>'),
        "'hip' has damping 0.5 in <dynamics> and 0.7 in <hd_morphology>; make them agree or remove the second.",
    ),
    "extension attribute": (
        extended('<joint name="hip" gear="1"/>'),
        "<hd_morphology> holds <joint name=\"hip\"> with ['gear'",
    ),
    "extension element": (extended("<script/>"), "<hd_morphology> holds <script"),
    "extension number": (
        extended('<joint name="hip" armature="big"/>'),
        "The armature of joint 'hip' in <hd_morphology> is 'big'; expected a finite number.",
    ),
    "extension negative": (
        extended('<joint name="hip" armature="-1"/>'),
        "Joint 'hip' has negative damping, stiffness or",
    ),
    "extension twice": (
        one_link(INERTIAL).replace("</robot>", '<hd_morphology version="1"/><hd_morphology version="1"/></robot>'),
        "The robot has 2 <hd_morphology> elements; expected one.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_clear_sentence(case: str):
    text, sentence = REFUSED[case]
    started = time.monotonic()
    with pytest.raises(MorphologyError) as refusal:
        read_urdf(text, notes=[])
    assert time.monotonic() - started < 1.0
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500
