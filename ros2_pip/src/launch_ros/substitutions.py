"""Folders of packages."""
from __future__ import annotations

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch.launch_context import LaunchContext
from launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)


class FindPackagePrefix(Substitution):
    """The folder that a package is installed in."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        """Name the package."""
        self._package = normalize_to_list_of_substitutions(package)

    def describe(self) -> str:
        """Return the class and the package."""
        return f"{type(self).__name__}(pkg={' + '.join(part.describe() for part in self._package)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the folder; raise PackageNotFoundError when the package is not installed."""
        return self.find(perform_substitutions(context, self._package))

    def find(self, package_name: str) -> str:
        """Return the folder of the named package."""
        return get_package_prefix(package_name)


class FindPackageShare(FindPackagePrefix):
    """A package's share folder."""

    def find(self, package_name: str) -> str:
        """Return the share folder of the named package."""
        return get_package_share_directory(package_name)


__all__ = ["FindPackagePrefix", "FindPackageShare"]
