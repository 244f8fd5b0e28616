"""Files that are there whole or not at all."""

import os
from pathlib import Path

from hd_controller.errors import HdError


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary name beside the file, then rename.

    Raises:
        HdError: the disk or the folder refuses; an older file of that name is as it was.
    """
    if not path.name:
        raise HdError(f"'{path}' is no name of a file; choose another place")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise HdError(f"{path} cannot be written ({error.strerror}); choose another place or free the disk.") from error
