"""What a URDF element must hold before a parser sees it, since parsers default, drop or crash where a robot must not.

``cleaned`` returns a copy of the tree with nothing in it but what the reader uses: unknown elements, visuals and
simulator blocks (``<mujoco>``, ``<gazebo>``, ``<ros2_control>``) are dropped, never interpreted.
"""

import math

from lxml import etree

from hd_controller.body_checks import MAX_MAGNITUDE
from hd_controller.errors import MorphologyError

MAX_LINKS = 512
MOVING, FIXED = "revolute", "fixed"


def number(text: str | None, what: str, default: float | None = None) -> float:
    """A finite number of an attribute.

    Raises:
        MorphologyError: missing without default, not a number, not finite, or absurdly large.
    """
    if text is None:
        if default is None:
            raise MorphologyError(f"{what} is missing; expected a number.")
        return default
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise MorphologyError(f"{what} is '{text[:40]}'; expected a finite number.")
    if abs(value) > MAX_MAGNITUDE:
        raise MorphologyError(f"{what} is '{text[:40]}'; expected at most {MAX_MAGNITUDE:g}: give a real value.")
    return value


def _check_vector(element: etree._Element, attribute: str, what: str, size: int = 3) -> None:
    text = element.get(attribute)
    if text is None:
        return
    parts = text.split()
    if len(parts) != size:
        raise MorphologyError(f"{what} {attribute}='{text[:60]}' has {len(parts)} numbers; expected {size}.")
    for part in parts:
        number(part, f"{what} {attribute}")


def _only(element: etree._Element, tag: str, what: str) -> etree._Element | None:
    found = element.findall(tag)
    if len(found) > 1:
        raise MorphologyError(f"{what} has {len(found)} <{tag}> elements; expected one.")
    return found[0] if found else None


def _name(element: etree._Element, kind: str, seen: set[str]) -> str:
    name = element.get("name", "")
    if not name:
        raise MorphologyError(f"A <{kind}> has no name; give every {kind} a unique name.")
    if name in seen:
        raise MorphologyError(f"Two {kind}s are named '{name}'; give every {kind} a unique name.")
    seen.add(name)
    return name


def _clean_origin(source: etree._Element, target: etree._Element, what: str) -> None:
    origin = _only(source, "origin", what)
    if origin is not None:
        _check_vector(origin, "xyz", f"The origin of {what}")
        _check_vector(origin, "rpy", f"The origin of {what}")
        etree.SubElement(
            target, "origin", {key: origin.get(key) for key in ("xyz", "rpy") if origin.get(key) is not None}
        )


def _clean_inertial(link: etree._Element, target: etree._Element, what: str) -> None:
    inertial = _only(link, "inertial", what)
    if inertial is None:
        return
    clean = etree.SubElement(target, "inertial")
    _clean_origin(inertial, clean, what)
    mass = _only(inertial, "mass", what)
    value = number(None if mass is None else mass.get("value"), f"The mass of {what}")
    inertia = _only(inertial, "inertia", what)
    if inertia is None:
        raise MorphologyError(f"{what} has an <inertial> without <inertia>; expected the six numbers of the tensor.")
    numbers = {
        key: number(inertia.get(key), f"The inertia {key} of {what}", 0.0 if key[1] != key[2] else None)
        for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
    }
    if value < 0:
        raise MorphologyError(f"The mass of {what} is {value:g} kg; expected a positive mass.")
    for key in ("ixx", "iyy", "izz"):
        if numbers[key] < 0:
            raise MorphologyError(f"The inertia {key} of {what} is {numbers[key]:g} kg m^2; expected a positive one.")
    if value == 0 and not any(numbers.values()):
        target.remove(clean)
        return
    etree.SubElement(clean, "mass", {"value": repr(value)})
    etree.SubElement(clean, "inertia", {key: repr(entry) for key, entry in numbers.items()})


def _clean_geometry(collision: etree._Element, target: etree._Element, what: str) -> None:
    geometry = _only(collision, "geometry", what)
    shapes = [] if geometry is None else [child for child in geometry if isinstance(child.tag, str)]
    if len(shapes) != 1:
        raise MorphologyError(f"A collision of {what} has {len(shapes)} shapes in its <geometry>; expected one.")
    shape = shapes[0]
    sizes = {"sphere": ("radius",), "cylinder": ("radius", "length"), "capsule": ("radius", "length")}
    attributes: dict[str, str] = {}
    if shape.tag in sizes:
        for key in sizes[shape.tag]:
            if not number(shape.get(key), f"The {key} of a {shape.tag} of {what}") > 0:
                raise MorphologyError(f"The {key} of a {shape.tag} of {what} is {shape.get(key)}; expected > 0.")
            attributes[key] = shape.get(key)
    elif shape.tag in ("box", "mesh"):
        key = "size" if shape.tag == "box" else "scale"
        _check_vector(shape, key, f"A {shape.tag} of {what}")
        required = "size" if shape.tag == "box" else "filename"
        if not shape.get(required):
            raise MorphologyError(f"A {shape.tag} of {what} has no {required}; expected one.")
        if shape.tag == "box" and not all(float(part) > 0 for part in shape.get("size").split()):
            raise MorphologyError(f"A box of {what} has size '{shape.get('size')}'; expected three positive numbers.")
        if shape.tag == "mesh" and not all(float(part) for part in shape.get("scale", "1").split()):
            raise MorphologyError(f"A mesh of {what} has scale '{shape.get('scale')}'; expected three factors, none 0.")
        attributes = {name: shape.get(name) for name in (required, key) if shape.get(name) is not None}
    else:
        raise MorphologyError(
            f"A collision of {what} is a <{shape.tag}>; expected box, cylinder, sphere, capsule or mesh."
        )
    etree.SubElement(etree.SubElement(target, "geometry"), shape.tag, attributes)


def _clean_link(link: etree._Element, target: etree._Element, name: str) -> None:
    what = f"link '{name}'"
    clean = etree.SubElement(target, "link", {"name": name})
    _clean_inertial(link, clean, what)
    for collision in link.findall("collision"):
        clean_collision = etree.SubElement(clean, "collision")
        _clean_origin(collision, clean_collision, what)
        _clean_geometry(collision, clean_collision, what)


def _clean_joint(joint: etree._Element, target: etree._Element, name: str) -> None:
    what = f"joint '{name}'"
    kind = joint.get("type", "")
    if kind not in (MOVING, FIXED):
        advice = {
            "continuous": "give it position limits and type revolute, or fix it",
            "prismatic": "only hinges are supported: fix it",
        }
        raise MorphologyError(
            f"Joint '{name}' has type '{kind}'; expected revolute (with limits) or fixed: "
            f"{advice.get(kind, 'change its type')}."
        )
    if kind == MOVING and joint.find("mimic") is not None:
        raise MorphologyError(f"Joint '{name}' mimics another joint; coupled joints cannot be represented: fix it.")
    clean = etree.SubElement(target, "joint", {"name": name, "type": kind})
    _clean_origin(joint, clean, what)
    for role in ("parent", "child"):
        element = _only(joint, role, what)
        if element is None or not element.get("link"):
            raise MorphologyError(f"Joint '{name}' has no {role} link; expected <{role} link=\"...\"/>.")
        etree.SubElement(clean, role, {"link": element.get("link")})
    if kind == MOVING:
        _clean_moving(joint, clean, what, name)


def _clean_moving(joint: etree._Element, clean: etree._Element, what: str, name: str) -> None:
    axis = _only(joint, "axis", what)
    text = "1 0 0" if axis is None else axis.get("xyz", "1 0 0")
    element = etree.SubElement(clean, "axis", {"xyz": text})
    _check_vector(element, "xyz", f"The axis of {what}")
    if not math.hypot(*map(float, text.split())) > 1e-6:
        raise MorphologyError(f"The axis of {what} is '{text}'; expected a direction.")
    limit = _only(joint, "limit", what)
    if limit is None:
        raise MorphologyError(f"Joint '{name}' has no <limit>; expected lower, upper, effort and velocity.")
    for key in ("lower", "upper", "effort"):
        if limit.get(key) is None:
            raise MorphologyError(
                f"Joint '{name}' has no {key} in its <limit>; expected lower, upper, effort and velocity."
            )
    values = {key: number(limit.get(key), f"The limit {key} of {what}") for key in ("lower", "upper", "effort")}
    if not values["lower"] < values["upper"]:
        raise MorphologyError(
            f"Joint '{name}' has limits lower={values['lower']:g}, upper={values['upper']:g}; expected lower < upper."
        )
    if not values["effort"] > 0:
        raise MorphologyError(
            f"Joint '{name}' has the effort limit {values['effort']:g} N m; expected the largest torque of its motor."
        )
    if limit.get("velocity") is not None:
        values["velocity"] = number(limit.get("velocity"), f"The limit velocity of {what}")
    etree.SubElement(clean, "limit", {key: repr(value) for key, value in values.items()})
    dynamics = _only(joint, "dynamics", what)
    if dynamics is not None:
        damping = number(dynamics.get("damping"), f"The damping of {what}", 0.0)
        etree.SubElement(clean, "dynamics", {"damping": repr(damping)})


def _refuse_xacro(root: etree._Element) -> None:
    """A file that xacro has not expanded would be read without the parts that its macros stand for."""
    for element in root.iter(etree.Element):
        prefix, _, tag = element.tag.replace("}", ":").rpartition(":")
        if prefix.rstrip("/").endswith("xacro"):
            raise MorphologyError(
                f"The description has the xacro element <xacro:{tag[:40]}>; expand it first: xacro FILE > robot.urdf."
            )


def cleaned(root: etree._Element) -> etree._Element:
    """A copy of a URDF tree that holds only checked links and joints.

    Raises:
        MorphologyError: anything in it that the reader cannot represent.
    """
    if root.tag != "robot":
        raise MorphologyError(f"The root element is <{str(root.tag)[:40]}>; expected <robot> as in a URDF.")
    _refuse_xacro(root)
    clean = etree.Element("robot", {"name": root.get("name") or "robot"})
    links, joints = root.findall("link"), root.findall("joint")
    if not links:
        raise MorphologyError("The robot has no <link>; expected at least one.")
    if len(links) > MAX_LINKS:
        raise MorphologyError(f"The robot has {len(links)} links; at most {MAX_LINKS} are read.")
    seen: set[str] = set()
    for link in links:
        _clean_link(link, clean, _name(link, "link", seen))
    seen = set()
    for joint in joints:
        _clean_joint(joint, clean, _name(joint, "joint", seen))
    return clean
