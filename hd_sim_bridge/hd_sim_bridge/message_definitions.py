"""Texts of message definitions as recordings carry them, from the .msg files that are installed. Needs no ROS."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from hd_controller.errors import HdError

PRIMITIVES = frozenset("bool byte char float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64 string wstring"
                       .split())
_FIELD = re.compile(r"^\s*([A-Za-z][\w/]*)(?:<=\d+)?(?:\[(?:<=)?\d*\])?\s+[A-Za-z]\w*")


def message_definition(type_name: str, share_folder: Callable[[str], Path]) -> str:
    """The definition of a type such as `sensor_msgs/msg/JointState`, followed by those of all types in it.

    share_folder: where the files of a package are. Raises HdError when a definition is not installed.
    """
    texts: dict[str, str] = {}
    waiting = [_short(type_name)]
    while waiting:
        name = waiting.pop(0)
        if name in texts:
            continue
        texts[name] = _text(name, share_folder)
        waiting += _types_in(texts[name], name.split("/")[0])
    first, *others = texts.items()
    return first[1] + "".join(f"\n{'=' * 80}\nMSG: {name}\n{text}" for name, text in others)


def _short(type_name: str) -> str:
    """package/Type."""
    package, *_, name = type_name.split("/")
    return f"{package}/{name}"


def _text(name: str, share_folder: Callable[[str], Path]) -> str:
    """The file of a type."""
    package, _, kind = name.partition("/")
    try:
        return (share_folder(package) / "msg" / f"{kind}.msg").read_text()
    except (OSError, LookupError):
        raise HdError(f"the definition of {name} is not installed; expected share/{package}/msg/{kind}.msg") from None


def _types_in(text: str, package: str) -> list[str]:
    """package/Type of each field that is a message."""
    found = (_FIELD.match(line) for line in text.splitlines())
    types = [match.group(1) for match in found if match is not None and match.group(1) not in PRIMITIVES]
    return [_short(name) if "/" in name else f"{package}/{name}" for name in types]
