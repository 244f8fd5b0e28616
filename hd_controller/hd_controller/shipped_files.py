"""Where the robots and the generator that come with the package lie: in its share folder, or in the source tree."""

from __future__ import annotations

from pathlib import Path

from hd_controller.errors import HdError

ROBOT_SUFFIXES = (".urdf", ".xml")


def share_folder() -> Path:
    """The installed share folder of hd_controller; without an installation the package folder of the source tree."""
    try:
        from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
        try:
            share = Path(get_package_share_directory("hd_controller"))
            if (share / "robots").is_dir():
                return share
        except PackageNotFoundError:
            pass
    except ImportError:
        pass
    return Path(__file__).resolve().parents[1]


def shipped_robots() -> dict[str, Path]:
    """Names and files of the robots that come with the package."""
    folder = share_folder() / "robots"
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {file.stem: file for file in files if file.suffix in ROBOT_SUFFIXES}


def robot_file(robot: str) -> Path:
    """The file of a shipped robot's name or of a path; raises HdError if there is neither."""
    shipped = shipped_robots()
    if robot in shipped:
        return shipped[robot]
    path = Path(robot).expanduser()
    if robot and path.is_file():
        return path.resolve()
    raise HdError(f"robot '{robot}' is neither a file nor a shipped robot; shipped robots: "
                  f"{', '.join(shipped) or 'none'}")


def generator_folder(generator: str) -> Path:
    """The folder of a generator bundle by path, or of a shipped one by name (`default`); raises HdError."""
    folder = share_folder() / "generators"
    if generator and (folder / generator).is_dir():
        return folder / generator
    path = Path(generator).expanduser()
    if generator and path.is_dir():
        return path.resolve()
    raise HdError(f"generator '{generator}' is neither a folder nor a shipped generator (looked in {folder})")
