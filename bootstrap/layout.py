"""Where things are: the repository, and what the bootstrap makes in `.hd`."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE_FOLDERS = ("hd_msgs", "hd_controller", "hd_sim_bridge", "hd_training", "tests")


@dataclass(frozen=True)
class Layout:
    """Paths below the repository's root."""

    root: Path

    @property
    def home(self) -> Path:
        """All that is made here; `./hd clean` removes it."""
        return self.root / ".hd"

    @property
    def venv(self) -> Path:
        """The Python environment."""
        return self.home / "venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def stamps(self) -> Path:
        """One file per finished step."""
        return self.home / "stamps"

    @property
    def build(self) -> Path:
        """Where colcon builds."""
        return self.home / "build"

    @property
    def install(self) -> Path:
        """Where colcon installs."""
        return self.home / "install"

    @property
    def log(self) -> Path:
        """Logs of set-up, build and tests."""
        return self.home / "log"

    @property
    def requirements(self) -> Path:
        """Lists of Python packages."""
        return self.root / "bootstrap" / "requirements"
