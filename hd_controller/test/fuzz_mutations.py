"""Seeded damage to documents: blind on bytes, and knowing on XML elements, attributes and JSON values."""

import copy
import json
from collections.abc import Callable

import numpy as np
from lxml import etree

NUMBERS = (
    "nan", "inf", "-inf", "1e308", "-1e308", "1e400", "1e-320", "-0", "0", "", " ", "1_0", "0x1p3", "1,5",
    "\u0663", "9" * 400, "-1", "1e9", "1e-9", "3.14159265358979", "+1", "1e", "--1", "1 2", "true", "None",
    "\ufeff1",
)
TEXTS = (
    "", " ", "a" * 199, "a" * 5000, "torso", "__proto__", "a/b", "../../etc/passwd", "file:///etc/passwd",
    "package://../../etc/passwd", "http://localhost/x.stl", "${x}", "$(find x)", "\u202e", "\U0001f916", "\t\r\n",
    "%s%n", "'; --", "&amp;", "-", "0", "world", "base_link",
)
TAGS = (
    "link", "joint", "inertial", "mass", "inertia", "origin", "collision", "geometry", "box", "sphere",
    "cylinder", "capsule", "mesh", "limit", "axis", "dynamics", "parent", "child", "mimic", "visual", "gazebo",
    "mujoco", "hd_morphology", "robot", "body", "geom", "site", "worldbody", "actuator", "motor", "default",
    "compiler", "option", "freejoint", "asset", "include", "equality", "tendon", "size", "keyframe", "extension",
)
ATTRIBUTES = (
    "name", "type", "xyz", "rpy", "value", "ixx", "ixy", "izz", "lower", "upper", "effort", "velocity", "radius",
    "length", "size", "filename", "scale", "link", "damping", "armature", "stiffness", "version", "pos", "quat",
    "range", "gear", "ctrlrange", "class", "mass", "fromto", "axis", "joint", "file", "fusestatic", "angle",
)


def pick(random: np.random.Generator, items: tuple | list):
    """One of the items."""
    return items[int(random.integers(len(items)))]


def damaged_bytes(data: bytes, random: np.random.Generator) -> bytes:
    """Flipped, lost, doubled, inserted or moved bytes."""
    data = bytearray(data)
    for _ in range(int(random.integers(1, 6))):
        if not data:
            return bytes(data)
        start = int(random.integers(len(data)))
        end = min(len(data), start + int(random.integers(1, 40)))
        kind = int(random.integers(6))
        if kind == 0:
            data[start] ^= 1 << int(random.integers(8))
        elif kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end] * int(random.integers(1, 5))
        elif kind == 3:
            data[start:start] = random.integers(0, 256, int(random.integers(1, 9)), dtype=np.uint8).tobytes()
        elif kind == 4:
            data = data[:end]
        else:
            place = int(random.integers(len(data)))
            data[start:end], moved = data[place : place + 10], data[start:end]
            data[place:place] = moved
    return bytes(data)


def _other_number(text: str, random: np.random.Generator) -> str:
    parts = text.split()
    if not parts or random.random() < 0.1:
        return pick(random, NUMBERS)
    place = int(random.integers(len(parts)))
    try:
        wild = 10.0 ** int(random.integers(-9, 10)) * pick(random, (1, -1))
        factor = wild if random.random() < 0.5 else float(random.uniform(0.5, 2))
        parts[place] = repr(float(parts[place]) * factor) if random.random() < 0.8 else pick(random, NUMBERS)
    except ValueError:
        parts[place] = pick(random, (*NUMBERS, *TEXTS))
    return " ".join(parts)


def _change_attribute(elements: list, random: np.random.Generator, gentle: bool = False) -> None:
    """Change one attribute; a gentle change rewrites numbers alone."""
    element = pick(random, elements)
    names = list(element.attrib)
    kind = 4 if gentle and names else int(random.integers(5))
    if not names or kind == 0:
        element.set(pick(random, ATTRIBUTES), _xml_text(pick(random, (*NUMBERS, *TEXTS))))
        return
    name = pick(random, names)
    if kind == 1:
        del element.attrib[name]
    elif kind == 2:
        element.set(name, _xml_text(pick(random, (*NUMBERS, *TEXTS))))
    elif kind == 3:
        other = pick(random, elements)
        element.set(name, other.get(name, other.get("name", "1")))
    else:
        element.set(name, _xml_text(_other_number(element.get(name), random)))


def _xml_text(text: str) -> str:
    return "".join(letter for letter in text if letter in "\t\n\r" or ord(letter) >= 32)


def _change_tree(elements: list, random: np.random.Generator) -> None:
    element = pick(random, elements[1:] or elements)
    parent, target = element.getparent(), pick(random, elements)
    kind = int(random.integers(5))
    if kind == 0 and parent is not None:
        parent.remove(element)
    elif kind == 1 and parent is not None:
        parent.append(copy.deepcopy(element))
    elif kind == 2:
        element.tag = pick(random, TAGS)
    elif kind == 3:
        target.append(copy.deepcopy(element))
    else:
        etree.SubElement(target, pick(random, TAGS), {pick(random, ATTRIBUTES): pick(random, NUMBERS[:12])})


def damaged_xml(text: str, random: np.random.Generator) -> str:
    """A document that is still XML, with one to four attributes or elements changed; sometimes damaged bytes."""
    if random.random() < 0.15:
        return damaged_bytes(text.encode(), random).decode("utf-8", "surrogateescape")
    root = etree.fromstring(text.encode(), etree.XMLParser(remove_comments=True))
    gentle = random.random() < 0.3
    for _ in range(int(random.integers(1, 5))):
        elements = [element for element in root.iter() if isinstance(element.tag, str)]
        change: Callable = _change_attribute if gentle or random.random() < 0.7 else _change_tree
        change(elements, random, *([True] if gentle else []))
    return etree.tostring(root, encoding="unicode")


JSON_VALUES = (None, True, 0, -1, 1e308, float("nan"), float("inf"), 10**400, "", "x" * 300, [], {}, [[]], [1, 2, 3],
               "1", {"a": 1}, 2**63, -(2**31), 1e-320)


def damaged_json(value: object, random: np.random.Generator) -> object:
    """A deep copy with one to three values replaced, removed or doubled, anywhere."""
    value = copy.deepcopy(value)
    for _ in range(int(random.integers(1, 4))):
        places = list(_places(value))
        if not places:
            return pick(random, JSON_VALUES)
        container, key = pick(random, places)
        kind = int(random.integers(4))
        if kind == 0:
            del container[key]
        elif kind == 1 and isinstance(container[key], float):
            container[key] = container[key] * 10.0 ** int(random.integers(-12, 13)) * pick(random, (1, -1))
        elif kind == 2 and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        else:
            container[key] = copy.deepcopy(pick(random, JSON_VALUES))
    return value


def _places(value: object):
    """Every (container, key) of a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def json_text(value: object) -> str:
    """JSON as Python writes it, NaN and all."""
    return json.dumps(value)
