"""What a launch description is made of."""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LaunchDescriptionEntity:
    """Something that can be visited, and that may answer with further entities to visit."""

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Take effect in `context`; return the entities to visit next, or None."""
        return None

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Entities known before anything is launched; used to list the arguments of a launch file."""
        return []
