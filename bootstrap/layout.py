"""Where things are: the repository, and what the bootstrap makes in `.hd`."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE_FOLDERS = ("hd_msgs", "hd_controller", "hd_sim_bridge", "hd_training", "tests")
ROBOT_FOLDERS = ("hd_msgs", "hd_controller")
"""What a robot's computer needs."""


@dataclass(frozen=True)
class Layout:
    """Paths below the repository's root, or of an installation that stands alone."""

    root: Path
    prefix: Path | None = None
    """Folder of an installation: all is copied there, and the repository is not needed afterwards."""

    @property
    def home(self) -> Path:
        """All that is made here; `./hd clean` removes it."""
        return self.prefix or self.root / ".hd"

    @property
    def package_folders(self) -> tuple[str, ...]:
        """Folders of the packages that are built."""
        return PACKAGE_FOLDERS if self.prefix is None else ROBOT_FOLDERS

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
