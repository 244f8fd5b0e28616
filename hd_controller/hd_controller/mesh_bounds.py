"""What all meshes of one robot may have together: each is within the bounds of its own, and a file names many."""

from hd_controller.errors import MorphologyError

MAX_BYTES = 200_000_000
"""Size of all mesh files of a URDF, each counted once: they are read one after another."""
MAX_BYTES_AT_ONCE = 100_000_000
"""Size of all meshes of an MJCF file, counted as often as they are named: MuJoCo takes about 30 times that at once."""
MAX_SHAPES = 1024
MAX_VERTICES = 500_000
"""Each takes some 500 bytes and 10 us to read."""


class MeshBounds:
    """Counts the meshes of one robot and refuses the first that is too much."""

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most_bytes = MAX_BYTES if most_bytes is None else most_bytes
        self._bytes = self._shapes = self._vertices = 0

    def add_bytes(self, size: int, where: str) -> None:
        """A file of this size is about to be read; ``where`` names mesh and link.

        Raises:
            MorphologyError: with it the robot's meshes have too many bytes.
        """
        self._bytes += size
        if self._bytes > self._most_bytes:
            raise MorphologyError(f"With {where} the meshes of the robot have {self._bytes} bytes in all; at most "
                                  f"{self._most_bytes} are read: simplify them.")

    def add_shape(self, vertices: int, where: str) -> None:
        """A mesh is about to become a collision shape of this many vertices.

        Raises:
            MorphologyError: with it the robot has too many mesh shapes, or too many vertices in them.
        """
        self._shapes += 1
        self._vertices += vertices
        if self._shapes > MAX_SHAPES:
            raise MorphologyError(f"With {where} the robot has {self._shapes} collision meshes; at most {MAX_SHAPES} "
                                  "are read: use fewer, or boxes, cylinders and spheres.")
        if self._vertices > MAX_VERTICES:
            raise MorphologyError(f"With {where} the collision meshes of the robot have {self._vertices} vertices in "
                                  f"all; at most {MAX_VERTICES} are read: simplify them.")
