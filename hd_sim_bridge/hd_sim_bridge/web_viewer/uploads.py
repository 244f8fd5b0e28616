"""Robot files that come from a browser: checked, then kept in a private folder while the page runs. Needs no ROS."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hd_controller.errors import HdError
from hd_controller.urdf_reader import read_urdf
from hd_controller.whole_file import write_whole
from hd_controller.xml_document import MAX_BYTES

LONGEST_NAME = 60


def check_size(name: str, size: int) -> None:
    """Raise HdError for a file that is too large to be a robot description; known before it is sent."""
    if size > MAX_BYTES:
        raise HdError(f"'{name[:LONGEST_NAME]}' has {size / 1e6:.1f} MB; a robot description may have "
                      f"{MAX_BYTES / 1e6:g} MB at most")


class UploadFolder:
    """Keeps the newest robot file for others of this computer account to read; gone with `close`."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def keep(self, name: str, content: bytes) -> Path:
        """The file's path; raises HdError where the content is no URDF of a robot that can be represented."""
        shown = name[:LONGEST_NAME] or "the file"
        check_size(name, len(content))
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise HdError(f"'{shown}' is no text; expected a URDF file") from None
        try:
            body = read_urdf(text, notes=[])
        except HdError as problem:
            raise HdError(f"'{shown}' is refused: {problem}") from None
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="hd_upload_"))
        path = self._folder / f"{_plain(Path(name).stem) or _plain(body.name) or 'robot'}.urdf"
        write_whole(path, content)
        return path

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _plain(name: str) -> str:
    """Letters, digits, '-' and '_' of a name."""
    kept = (letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-_"))
    return "".join(kept)[:LONGEST_NAME]
