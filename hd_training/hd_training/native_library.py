"""C sources of this package, compiled on first use with the machine's C compiler and kept in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from hd_controller.errors import HdError

FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-fPIC", "-shared", "-pthread")
"""Contraction is off so that sums and products round as numpy's do."""


def cache_folder() -> Path:
    """Where compiled libraries are kept: hd_training in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hd_training"


def compiler() -> str:
    """Path of a C compiler: $CC, or else cc, gcc or clang; HdError without one."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and (path := shutil.which(name)):
            return path
    raise HdError("there is no C compiler (cc, gcc or clang); install the package gcc")


def load_library(source: Path) -> ctypes.CDLL:
    """The compiled `source`, from the cache or compiled now; HdError where that fails.

    The file's name holds a hash of all that went in, so that a changed source is compiled anew; it is written under a
    temporary name first. Where the cache cannot be written, the library lives only as long as the process.
    """
    text = source.read_bytes()
    key = hashlib.sha256(b"\0".join([text, " ".join(FLAGS).encode(), platform.machine().encode()])).hexdigest()[:16]
    try:
        path = cache_folder() / f"{source.stem}-{key}.so"
        if path.exists():
            return ctypes.CDLL(str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="compiling-") as folder:
            os.replace(_compile(source, Path(folder)), path)
        return ctypes.CDLL(str(path))
    except (OSError, RuntimeError):  # no home folder, one that cannot be written, or a file that cannot be loaded
        return _loaded_once(source)


def _loaded_once(source: Path) -> ctypes.CDLL:
    """Compile to a folder of the moment; a loaded library outlives its file."""
    try:
        with tempfile.TemporaryDirectory(prefix="hd_training-") as folder:
            return ctypes.CDLL(str(_compile(source, Path(folder))))
    except OSError as error:
        raise HdError(f"{source.name}: the compiled library cannot be written or loaded: {error}") from error


def _compile(source: Path, folder: Path) -> Path:
    path = folder / f"{source.stem}.so"
    command = [compiler(), *FLAGS, str(source), "-o", str(path), "-lm"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise HdError(f"{source.name}: '{command[0]}' failed: {last}")
    return path
