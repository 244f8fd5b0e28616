"""MJCF file to Morphology, through MuJoCo's own compiler.

Masses, inertias, anchors and defaults are taken from the compiled model, so that the body is the one MuJoCo simulates.
Ground, lights, cameras, sensors and contact settings of the file belong to its scene and are left out.
"""

import warnings
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.body_assembly import Inertial, Joint, Link, assemble
from hd_controller.errors import MorphologyError, memory_refused
from hd_controller.mesh_bounds import MeshBounds
from hd_controller.mesh_hull import UNTOLD
from hd_controller.mjcf_rules import cleaned_mjcf
from hd_controller.morphology import Hinge, Morphology
from hd_controller.rotations import matrix_from_quaternion, rpy_from_matrix
from hd_controller.shapes import Box, Capsule, Cylinder, Mesh, Shape, Sphere
from hd_controller.urdf_reader import DEFAULT_VELOCITY_LIMIT
from hd_controller.xml_document import parse_xml, read_text


def _compiled(path: Path) -> mujoco.MjModel:
    clean = cleaned_mjcf(parse_xml(read_text(path)), path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what matters is checked on the body
            return mujoco.MjModel.from_xml_string(clean.text, clean.assets)
    except (ValueError, OSError, mujoco.FatalError) as error:
        reason = " ".join(str(error).split())
        raise MorphologyError(f"{path.name} is refused by MuJoCo ({reason}).") from error
    except RuntimeError as error:
        raise MemoryError(UNTOLD) from error


def spawn_height(path: Path) -> float:
    """Height of the torso in the file's reference configuration [m]: where the benchmark spawns its robots."""
    model = _compiled(path)
    return float(model.body_pos[_torso(model, path)][2])


@memory_refused()
def read_mjcf(path: Path | str) -> Morphology:
    """The single free-floating robot of an MJCF file.

    Raises:
        MorphologyError: no or several robots, joints other than limited hinges, hinges without a motor, or what
            ``assemble`` refuses.
    """
    path = Path(path)
    model = _compiled(path)
    torso = _torso(model, path)
    _check_meshes(model, torso)
    efforts = _efforts(model)
    links, joints = [], []
    for body in range(torso, model.nbody):
        if model.body_rootid[body] != torso:
            raise MorphologyError(
                f"Body '{model.body(body).name}' is not part of the robot; expected one robot a file."
            )
        _add_body(model, body, torso, efforts, links, joints)
    return assemble(path.stem, links, joints)


def _torso(model: mujoco.MjModel, path: Path) -> int:
    free = [int(model.jnt_bodyid[j]) for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE]
    if len(free) != 1:
        raise MorphologyError(f"{path.name} has {len(free)} free joints; expected one floating torso.")
    return free[0]


def _efforts(model: mujoco.MjModel) -> dict[int, float]:
    """Largest torque of each joint: gear times control limit of its motor."""
    efforts: dict[int, float] = {}
    for actuator in range(model.nu):
        if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT:
            limited = model.actuator_ctrllimited[actuator]
            limit = model.actuator_ctrlrange[actuator, 1] if limited else 1.0
            efforts[int(model.actuator_trnid[actuator, 0])] = float(model.actuator_gear[actuator, 0] * limit)
    return efforts


def _add_body(
    model: mujoco.MjModel, body: int, torso: int, efforts: dict[int, float], links: list[Link], joints: list[Joint]
) -> None:
    """Append the body as a link whose frame sits at its joint anchor, with a bare link for each hinge but the last."""
    name = model.body(body).name or f"body_{body}"
    first = model.body_jntadr[body]
    hinges = [] if body == torso else [int(first + k) for k in range(model.body_jntnum[body])]
    anchors = [model.jnt_pos[joint] for joint in hinges]
    for joint, anchor in zip(hinges, anchors, strict=True):
        if np.linalg.norm(anchor - anchors[0]) > 1e-9:
            raise MorphologyError(
                f"The joints of body '{name}' have different anchors (joint '{model.joint(joint).name}'); "
                "expected a common one."
            )
    anchor = anchors[0] if anchors else np.zeros(3)
    links.append(_link(model, body, name, anchor))
    if body == torso:
        return
    parent_body = int(model.body_parentid[body])
    parent = model.body(parent_body).name or f"body_{parent_body}"
    rotation = matrix_from_quaternion(model.body_quat[body])
    rotation = None if np.array_equal(rotation, np.eye(3)) else rotation
    offset = anchor if rotation is None else rotation @ anchor
    translation = model.body_pos[body] + offset - _anchor(model, parent_body, torso)
    if not hinges:
        joints.append(Joint(f"fixed_{name}", parent, name, rotation, translation, None))
    for number, joint in enumerate(hinges):
        hinge = _hinge(model, joint, efforts)
        child = name if number == len(hinges) - 1 else f"{name}__{hinge.name}"
        if child != name:
            links.append(Link(child))
        joints.append(Joint(hinge.name, parent, child, rotation, translation, hinge))
        parent, rotation, translation = child, None, np.zeros(3)


def _anchor(model: mujoco.MjModel, body: int, torso: int) -> np.ndarray:
    if body == torso or not model.body_jntnum[body]:
        return np.zeros(3)
    return model.jnt_pos[model.body_jntadr[body]]


def _hinge(model: mujoco.MjModel, joint: int, efforts: dict[int, float]) -> Hinge:
    name = model.joint(joint).name or f"joint_{joint}"
    if model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_HINGE:
        raise MorphologyError(f"Joint '{name}' is no hinge; expected hinges with limits: change its type or fix it.")
    if not model.jnt_limited[joint]:
        raise MorphologyError(f"Joint '{name}' has no range; expected lower and upper limits.")
    if not efforts.get(joint, 0.0) > 0:
        raise MorphologyError(
            f"Joint '{name}' has no motor with positive gear; expected one: it sets the effort limit."
        )
    dof = model.jnt_dofadr[joint]
    axis = model.jnt_axis[joint]
    return Hinge(
        name=name,
        axis=tuple(float(value) for value in axis / np.linalg.norm(axis)),
        lower=float(model.jnt_range[joint, 0]),
        upper=float(model.jnt_range[joint, 1]),
        effort_limit=efforts[joint],
        velocity_limit=DEFAULT_VELOCITY_LIMIT,
        damping=float(np.ravel(model.dof_damping[dof])[0]),
        stiffness=float(np.ravel(model.jnt_stiffness[joint])[0]),
        armature=float(model.dof_armature[dof]),
    )


def _link(model: mujoco.MjModel, body: int, name: str, anchor: np.ndarray) -> Link:
    turn = matrix_from_quaternion(model.body_iquat[body])
    tensor = turn @ np.diag(model.body_inertia[body]) @ turn.T
    mass = float(model.body_mass[body])
    inertial = Inertial(mass, model.body_ipos[body] - anchor, (tensor + tensor.T) / 2) if mass > 0 else None
    first = model.body_geomadr[body]
    geoms = [int(first + k) for k in range(model.body_geomnum[body])]
    return Link(name, inertial, [_shape(model, geom, name, anchor) for geom in geoms if _collides(model, geom)])


def _collides(model: mujoco.MjModel, geom: int) -> bool:
    return bool(model.geom_contype[geom] or model.geom_conaffinity[geom])


def _check_meshes(model: mujoco.MjModel, torso: int) -> None:
    """Refuse meshes that are too much together, before they become shapes: many geoms may share a mesh."""
    bounds = MeshBounds()
    for geom in range(model.ngeom):
        body = model.geom_bodyid[geom]
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH and body >= torso and _collides(model, geom):
            vertices = int(model.mesh_vertnum[model.geom_dataid[geom]])
            bounds.add_shape(vertices, f"a mesh of body '{model.body(body).name}'")


def _shape(model: mujoco.MjModel, geom: int, body_name: str, anchor: np.ndarray) -> Shape:
    center = model.geom_pos[geom] - anchor
    rotation = matrix_from_quaternion(model.geom_quat[geom])
    size = model.geom_size[geom]
    place = tuple(float(value) for value in center)
    rpy = tuple(angle + 0.0 for angle in rpy_from_matrix(rotation))
    kind = model.geom_type[geom]
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return Sphere(place, float(size[0]))
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        half = rotation[:, 2] * size[1]
        ends = [tuple(float(value) for value in center + side) for side in (half, -half)]  # z points to the near end
        return Capsule(ends[0], ends[1], float(size[0]))
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return Box(place, rpy, tuple(float(value) for value in size))
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return Cylinder(place, rpy, float(size[0]), float(size[1]))
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        points = model.mesh_vert[start : start + count].astype(float) @ rotation.T + center
        return Mesh(tuple(map(tuple, points.tolist())))
    raise MorphologyError(f"A geom of body '{body_name}' has an unsupported type; expected primitives or meshes.")
