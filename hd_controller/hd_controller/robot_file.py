"""Robot files of either format, told apart by their root element."""

from pathlib import Path

from hd_controller.errors import MorphologyError, memory_refused
from hd_controller.mjcf_reader import read_mjcf
from hd_controller.morphology import Morphology
from hd_controller.urdf_reader import read_urdf
from hd_controller.xml_document import parse_xml, read_text


def read_robot(path: Path | str, *, notes: list[str] | None = None) -> Morphology:
    """The body in a URDF or MJCF file.

    Args:
        path: the file; meshes are looked for beside it.
        notes: gets one sentence for each thing that was assumed.

    Raises:
        MorphologyError: the file cannot be read or its robot cannot be represented; the sentence names the file.
    """
    path = Path(path)
    text = read_text(path)
    try:
        with memory_refused():
            if parse_xml(text).tag == "mujoco":
                return read_mjcf(path)
            return read_urdf(text, folder=path.parent, notes=notes)
    except MorphologyError as error:
        raise MorphologyError(f"{path}: {error}") from error
