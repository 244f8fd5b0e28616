"""From a robot file to the URDF text that is published as robot_description."""

from __future__ import annotations

from pathlib import Path

from hd_controller.errors import HdError, MorphologyError
from hd_controller.robot_file import read_robot
from hd_controller.shipped_files import robot_file
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf
from hd_controller.xml_document import MAX_BYTES


class MeshesBesideError(HdError):
    """A robot's meshes are files beside its own, which a description as a text does not bring along."""


def description_text(robot: str, *, notes: list[str] | None = None) -> tuple[str, Path]:
    """URDF text and file of a shipped robot's name or a file path.

    `notes` gets one sentence for each thing that was assumed of a URDF; logged as warnings where None.

    A URDF that can be read from its text alone is passed on unchanged; any other accepted file is written anew as URDF
    that needs no other file.

    Raises:
        MeshesBesideError: it has meshes that only a reader of the file itself finds.
        HdError: the robot is refused.
    """
    path = robot_file(robot)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise HdError(f"{path} has {size} bytes; a robot description may have {MAX_BYTES} at most")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise HdError(f"{path} cannot be read as UTF-8 text: {problem}") from None
    morphology = read_robot(path, notes=notes)
    try:
        if read_urdf(text, notes=[]).robot_id == morphology.robot_id:
            return text, path
    except HdError:
        pass
    try:
        return write_urdf(morphology), path
    except MorphologyError as error:
        raise MeshesBesideError(
            f"{path}: its meshes are files beside it, which nobody finds who gets the description as a text; name them "
            "package://PACKAGE/FILE and install the package, or give collision shapes that are no meshes"
        ) from error
