"""What a URDF may hold beyond the minimum, and what becomes of it."""

import numpy as np
import pytest
from urdf_samples import INERTIAL, collision, extended, inertial, joint, link, one_link, robot, two_hinges, two_links

from hd_controller.context import context_features
from hd_controller.coverage import coverage_report, trained_ranges
from hd_controller.mujoco_model import build_model
from hd_controller.shapes import Box, Capsule, Cylinder, Sphere
from hd_controller.urdf_reader import read_urdf


def test_foreign_elements_are_ignored():
    foreign = (
        '<mujoco><compiler meshdir="/etc"/></mujoco><gazebo reference="leg"><mu1>1</mu1></gazebo><ros2_control/>'
        '<transmission name="t"><joint name="hip"/></transmission><sensor:camera name="c"/><nonsense/>'
        "<!-- a comment --><?xacro nothing?>"
    )
    assert read_urdf(two_links().replace("</robot>", f"{foreign}</robot>"), notes=[]) == read_urdf(
        two_links(), notes=[]
    )


def test_fixed_joints_are_fused_by_hand():
    # 2 kg at the origin and 1 kg 0.3 m ahead: com at 0.1 m; about it 2 * 0.1^2 + 1 * 0.2^2 = 0.06 kg m^2 for y and z.
    # The sensor's frame is turned by 90 degrees about z: its ixx adds to iyy of the torso.
    sensor = '<inertial><mass value="1"/><inertia ixx="0.2" iyy="0.1" izz="0.15"/></inertial>'
    turned = joint("mount", "torso", "sensor", kind="fixed", xyz="0.3 0 0", rpy="0 0 1.5707963267948966", limit="")
    (limb,) = read_urdf(
        robot(link("torso"), link("sensor", sensor + collision('<sphere radius="0.1"/>', "0.1 0 0")), turned), notes=[]
    ).limbs
    assert limb.mass == pytest.approx(3.0)
    assert limb.com == pytest.approx((0.1, 0, 0))
    assert limb.inertia == pytest.approx((0.02 + 0.1, 0.03 + 0.2 + 0.06, 0.04 + 0.15 + 0.06, 0, 0, 0))
    assert limb.shapes[0].center == pytest.approx((0.3, 0.1, 0))


FOOTPRINT = joint("base", "base_footprint", "torso", kind="fixed", xyz="0 0 0.5", limit="")


def test_a_root_that_is_a_mere_frame_leaves_the_torso_frame_in_the_body():
    """As without that link: same body, whatever the way from the footprint; and a note on what odom must give."""
    rest = (link("torso"), link("leg"), joint("hip", "torso", "leg"))
    plain = read_urdf(robot(*rest), notes=[])
    chain = (
        *(link("base_footprint", ""), link("mount", "")),
        joint("first", "base_footprint", "mount", kind="fixed", xyz="0.1 0.2 0.3", rpy="0.4 0.5 0.6", limit=""),
        joint("second", "mount", "torso", kind="fixed", xyz="0 0 0", limit=""),
    )
    for frames in ((link("base_footprint", ""), FOOTPRINT), chain):
        notes: list[str] = []
        body = read_urdf(robot(*frames, *rest), notes=notes)
        assert body.limbs == plain.limbs and body.robot_id == plain.robot_id
        assert [note for note in notes if "'base_footprint'" in note and "the torso is link 'torso'" in note]


@pytest.mark.parametrize("more", ['<collision><geometry><sphere radius="0.1"/></geometry></collision>', "", None])
def test_a_root_that_carries_more_than_one_fixed_joint_keeps_its_frame(more):
    """A collision shape of its own, another fixed link, a moving joint: the root is part of the body."""
    links = [link("base_footprint", more or ""), link("torso"), FOOTPRINT]
    if more == "":
        links += [link("plate"), joint("beside", "base_footprint", "plate", kind="fixed", xyz="0 0 0", limit="")]
    if more is None:
        links += [link("leg"), joint("hip", "base_footprint", "leg")]
    notes: list[str] = []
    body = read_urdf(robot(*links), notes=notes)
    assert body.limbs[0].name == "base_footprint" and body.limbs[0].com[2] > 0.2
    assert not [note for note in notes if "torso is link" in note]


def test_a_bare_root_in_the_place_of_the_body_keeps_its_name():
    """The usual way around tools that refuse a root with inertia."""
    same = joint("base", "base_link", "base_inertia", kind="fixed", xyz="0 0 0", limit="")
    notes: list[str] = []
    assert read_urdf(robot(link("base_link", ""), link("base_inertia"), same), notes=notes).limbs[0].name == "base_link"
    assert not notes


def test_massless_ends_fuse():
    text = robot(
        link("torso"),
        link("leg"),
        link("foot_frame", inertial("0", ("1e-7", "1e-7", "1e-7", "0", "0", "0"))),
        joint("hip", "torso", "leg"),
        joint("tip", "leg", "foot_frame", kind="fixed", limit=""),
    )
    body = read_urdf(text, notes=[])
    assert [limb.name for limb in body.limbs] == ["torso", "leg"]
    assert body.limbs[1].position == pytest.approx((0, 0, -0.3))
    assert body.limbs[1].inertia[0] == pytest.approx(0.02 + 1e-7)


def test_two_hinge_limb():
    body = read_urdf(two_hinges(), notes=[])
    assert [limb.name for limb in body.limbs] == ["torso", "leg"]
    assert body.joint_names == ("roll", "pitch")
    assert [hinge.axis for hinge in body.limbs[1].hinges] == [(1, 0, 0), (0, 1, 0)]
    assert body.slots.tolist() == [2, 3]


def test_shapes_keep_their_form():
    parts = [
        collision('<box size="0.2 0.4 0.6"/>', "1 2 3", "0.1 0.2 0.3"),
        collision('<cylinder radius="0.1" length="0.5"/>', "0 0 1"),
        collision('<sphere radius="0.2"/>', "0 1 0"),
        collision('<capsule radius="0.1" length="0.5"/>', "0 0 1", "0 1.5707963267948966 0"),
    ]
    box, cylinder, sphere, capsule = read_urdf(one_link(INERTIAL + "".join(parts)), notes=[]).limbs[0].shapes
    assert box == Box((1, 2, 3), (0.1, 0.2, 0.3), (0.1, 0.2, 0.3))
    assert cylinder == Cylinder((0, 0, 1), (0, 0, 0), 0.1, 0.25)
    assert sphere == Sphere((0, 1, 0), 0.2)
    assert isinstance(capsule, Capsule)
    assert capsule.start == pytest.approx((-0.25, 0, 1))
    assert capsule.end == pytest.approx((0.25, 0, 1))


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_capsule_is_recognised(order: tuple[int, ...]):
    parts = [
        collision('<cylinder radius="0.1" length="0.5"/>', "0 0 1", "0 1.5707963267948966 0"),
        collision('<sphere radius="0.1"/>', "-0.25 0 1"),
        collision('<sphere radius="0.1"/>', "0.25 0 1"),
    ]
    shapes = read_urdf(one_link(INERTIAL + "".join(parts[n] for n in order)), notes=[]).limbs[0].shapes
    assert len(shapes) == 1
    assert {shapes[0].start, shapes[0].end} == {(-0.25, 0, 1), (0.25, 0, 1)}


def test_cylinder_with_other_spheres_stays():
    parts = [
        collision('<cylinder radius="0.1" length="0.5"/>'),
        collision('<sphere radius="0.1"/>', "0 0 0.25"),
        collision('<sphere radius="0.1"/>', "0 0 -0.251"),
    ]
    shapes = read_urdf(one_link(INERTIAL + "".join(parts)), notes=[]).limbs[0].shapes
    assert [type(shape) for shape in shapes] == [Cylinder, Sphere, Sphere]


def test_limbs_without_shape_are_legal_and_reported():
    body = read_urdf(two_links(), notes=[])
    report = coverage_report(body, trained_ranges([body]))
    assert report["notes"] == ["2 limbs have no collision shape, such as 'torso'."]
    assert np.isfinite(context_features(body)).all()
    assert body.standing_height == pytest.approx(0.3)
    build_model(body)


def test_assumptions_are_noted():
    notes: list[str] = []
    body = read_urdf(two_links(), notes=notes)
    assert notes == ["The description has no <hd_morphology>: armature and stiffness of all joints are taken as 0."]
    assert body.hinges[0].armature == body.hinges[0].stiffness == 0
    notes.clear()
    read_urdf(extended(""), notes=notes)
    assert notes == ["<hd_morphology> leaves out 1 joints ('hip'...): their armature and stiffness are 0."]
    notes.clear()
    body = read_urdf(extended('<joint name="hip" armature="0.3" stiffness="2" damping="0.5"/>'), notes=notes)
    assert notes == []
    assert (body.hinges[0].armature, body.hinges[0].stiffness, body.hinges[0].damping) == (0.3, 2.0, 0.5)


@pytest.mark.parametrize(("link_name", "joint_name"), [("world", "root"), ("floor", "root"), ("grid", "sky")])
def test_names_that_simulators_reserve(link_name: str, joint_name: str):
    body = read_urdf(robot(link(link_name), link("leg"), joint(joint_name, link_name, "leg")), notes=[])
    build_model(body)
    build_model(body, scene=False)


@pytest.mark.parametrize("moments", [("1", "1", "2"), ("0.001", "0.001", "0.0020009"), ("1e-6", "1e-6", "2e-6")])
def test_flat_bodies_rounded_in_the_file_are_simulated(moments: tuple[str, str, str]):
    text = one_link(f'<inertial><origin rpy="0.3 1 2"/>{inertial(tensor=(*moments, "0", "0", "0"))[10:]}')
    model = build_model(read_urdf(text, notes=[]))
    assert sorted(model.body_inertia[1]) == pytest.approx(sorted(map(float, moments)), rel=1e-3)


@pytest.mark.parametrize("velocity", ["", 'velocity="0"'])
def test_missing_velocity_limit_is_assumed_and_noted(velocity: str):
    notes: list[str] = []
    limit = f'<limit lower="-1" upper="1" effort="1" {velocity}/>'
    body = read_urdf(two_links(limit=limit), notes=notes)
    assert body.velocity_limits.tolist() == [100.0]
    assert notes[1:] == ["1 joints have no velocity limit ('hip'...): 100 rad/s is assumed."]
