"""A robot as a few kinds of solids, and where they are in a state. Needs neither ROS nor a viewer.

The solids are the collision shapes that the physics uses, taken from MuJoCo's model of the body, so that what is shown
is what is simulated: a mesh is its convex hull.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import build_model

BARE_LIMB_RADIUS = 0.03
"""Radius of the ball that stands for a limb without shape [m]."""
TORSO_COLOUR = (214, 69, 8)
LIMB_COLOURS = ((18, 72, 150), (8, 122, 110), (96, 133, 12), (160, 100, 0), (120, 40, 110))
"""By depth in the tree of limbs, repeated."""
KINDS = ("ball", "cylinder", "box")


@dataclass(frozen=True)
class Solids:
    """All solids of one kind: a ball of radius 1, a cylinder of radius 1 and height 2, a cube of edge 2, scaled."""

    scales: np.ndarray
    """(N, 3) half extents [m]."""
    colours: np.ndarray
    """(N, 3) red, green and blue, 0 to 255."""


@dataclass(frozen=True)
class Hull:
    """A convex mesh."""

    vertices: np.ndarray
    """(V, 3) [m] in the frame that `Poses.hulls` places."""
    faces: np.ndarray
    """(F, 3) indices of vertices."""
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class Placed:
    """Poses of the solids of one kind."""

    positions: np.ndarray
    """(N, 3) in the world [m]."""
    orientations: np.ndarray
    """(N, 4) quaternions (w, x, y, z)."""


class RobotDrawing:
    """The solids of one body; `place` says where they are. One instance serves one thread."""

    def __init__(self, morphology: Morphology) -> None:
        """Compile the body's model and sort its shapes by kind."""
        self.morphology = morphology
        self._model = model = build_model(morphology, scene=True)
        self._data = mujoco.MjData(model)
        self._colours = _colours(morphology)
        geoms = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] != 0]
        self._parts: dict[str, list[tuple[int, np.ndarray, np.ndarray]]] = {kind: [] for kind in KINDS}
        scales: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
        hulls = []
        for geom in geoms:
            if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
                hulls.append(geom)
                continue
            for kind, offset, scale in _solids(model, geom):
                self._add(scales, kind, int(model.geom_bodyid[geom]), *_in_body(model, geom, offset), scale)
        for body in set(range(1, model.nbody)) - {int(model.geom_bodyid[geom]) for geom in geoms}:
            self._add(scales, "ball", body, np.zeros(3), np.array([1.0, 0, 0, 0]), np.full(3, BARE_LIMB_RADIUS))
        self.solids = {kind: Solids(np.array(scales[kind]), np.array([self._colours[part[0]] for part in parts]))
                       for kind, parts in self._parts.items() if parts}
        self.hulls = tuple(_hull(model, geom, self._colours[int(model.geom_bodyid[geom])]) for geom in hulls)
        self._hull_geoms = hulls
        self._arrays = {kind: _arrays(parts) for kind, parts in self._parts.items() if parts}

    def _add(self, scales: dict[str, list[np.ndarray]], kind: str, body: int, position: np.ndarray,
             orientation: np.ndarray, scale: np.ndarray) -> None:
        self._parts[kind].append((body, position, orientation))
        scales[kind].append(scale)

    @property
    def at_rest(self) -> RobotState:
        """The robot upright above the origin, on the ground."""
        body = self.morphology
        return RobotState(0, np.array([0.0, 0.0, body.standing_height]), np.array([1.0, 0, 0, 0]), np.zeros(3),
                          np.zeros(3), np.array(body.rest_positions, dtype=float), np.zeros(len(body.joint_names)))

    def place(self, state: RobotState) -> tuple[dict[str, Placed], list[Placed]]:
        """Poses of the solids by kind, and one each for the hulls; velocities do not matter."""
        model, data = self._model, self._data
        data.qpos[0:3], data.qpos[3:7], data.qpos[7:] = state.position, state.orientation, state.joint_positions
        mujoco.mju_normalize4(data.qpos[3:7])
        mujoco.mj_kinematics(model, data)
        placed = {}
        for kind, (bodies, positions, orientations) in self._arrays.items():
            rotations = data.xmat[bodies].reshape(-1, 3, 3)
            placed[kind] = Placed(data.xpos[bodies] + np.einsum("nij,nj->ni", rotations, positions),
                                  quaternion_products(data.xquat[bodies], orientations))
        hulls = []
        for geom in self._hull_geoms:
            body = model.geom_bodyid[geom]
            orientation = quaternion_products(data.xquat[body][None], model.geom_quat[geom][None])
            hulls.append(Placed(data.geom_xpos[geom].copy()[None], orientation))
        return placed, hulls


def quaternion_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(N, 4) Hamilton products of quaternions (w, x, y, z)."""
    scalar = left[:, :1] * right[:, :1] - np.sum(left[:, 1:] * right[:, 1:], axis=1, keepdims=True)
    vector = left[:, :1] * right[:, 1:] + right[:, :1] * left[:, 1:] + np.cross(left[:, 1:], right[:, 1:])
    return np.hstack((scalar, vector))


def _solids(model: mujoco.MjModel, geom: int) -> list[tuple[str, float, np.ndarray]]:
    """Kind, place along the shape's z axis [m] and half extents of the solids that make one shape."""
    size, kind = model.geom_size[geom], model.geom_type[geom]
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return [("ball", 0.0, np.full(3, size[0]))]
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return [("box", 0.0, size.copy())]
    tube = ("cylinder", 0.0, np.array([size[0], size[0], size[1]]))
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return [tube]
    return [tube, ("ball", float(size[1]), np.full(3, size[0])), ("ball", -float(size[1]), np.full(3, size[0]))]


def _in_body(model: mujoco.MjModel, geom: int, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Position (3,) and orientation (4,) in the body's frame of what is `offset` along a shape's z axis."""
    along = np.zeros(3)
    mujoco.mju_rotVecQuat(along, np.array([0.0, 0.0, offset]), model.geom_quat[geom])
    return model.geom_pos[geom] + along, model.geom_quat[geom].copy()


def _hull(model: mujoco.MjModel, geom: int, colour: tuple[int, int, int]) -> Hull:
    """The mesh of a shape."""
    mesh = model.geom_dataid[geom]
    first_vertex, first_face = model.mesh_vertadr[mesh], model.mesh_faceadr[mesh]
    return Hull(model.mesh_vert[first_vertex:first_vertex + model.mesh_vertnum[mesh]].copy(),
                model.mesh_face[first_face:first_face + model.mesh_facenum[mesh]].copy(), colour)


def _arrays(parts: list[tuple[int, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bodies (N,), positions (N, 3) and orientations (N, 4) of parts."""
    bodies, positions, orientations = zip(*parts, strict=True)
    return np.array(bodies), np.array(positions), np.array(orientations)


def _colours(morphology: Morphology) -> dict[int, tuple[int, int, int]]:
    """Colour of each body of the model (limb k is body k + 1)."""
    depths: list[int] = []
    for limb in morphology.limbs:
        depths.append(0 if limb.parent < 0 else depths[limb.parent] + 1)
    return {index + 1: TORSO_COLOUR if depth == 0 else LIMB_COLOURS[(depth - 1) % len(LIMB_COLOURS)]
            for index, depth in enumerate(depths)}
