"""Morphology to a MuJoCo model: the body in the benchmark's flat scene, or its kinematics alone.

Joint i of ``Morphology.joint_names`` is qpos[7 + i], qvel[6 + i] and actuator i; limb k is body k + 1. Sensors give
each limb frame's pose and velocity in the world, in four blocks (``LIMB_SENSORS``).
"""

import mujoco
import numpy as np

from hd_controller.morphology import Limb, Morphology
from hd_controller.rotations import matrix_from_rpy, quaternion_from_matrix
from hd_controller.shapes import Box, Capsule, Cylinder, Shape, Sphere

PHYSICS_STEP_S = 0.005
FRAME_SKIP = 4
CONTROL_PERIOD_S = PHYSICS_STEP_S * FRAME_SKIP
SPAWN_CLEARANCE = 0.2
"""Height of the lowest collision point above the ground at spawn [m]."""
FLOOR_HALF_SIZE = (100.0, 100.0, 1.0)
"""Half extents of the benchmark's floor box [m]; its top is at z = 0."""
VIEW_EXTENT = 2.0
"""Size [m] that cameras and clipping planes are scaled to; the floor's own size would clip the robot away."""
FRICTION = (0.7, 0.1, 0.1)
SOLIMP_LIMIT = (0.0, 0.99, 0.01, 0.5, 2.0)
"""Joint-limit softness of the benchmark's robots."""

LIMB_SENSORS = (
    (mujoco.mjtSensor.mjSENS_FRAMEPOS, 3),
    (mujoco.mjtSensor.mjSENS_FRAMEQUAT, 4),
    (mujoco.mjtSensor.mjSENS_FRAMELINVEL, 3),
    (mujoco.mjtSensor.mjSENS_FRAMEANGVEL, 3),
)
"""Sensor types in the order of their blocks in ``sensordata``, with the numbers each gives per limb."""


def body_name(limb_name: str) -> str:
    """Name of a limb's body: its own, except where MuJoCo keeps that for the ground."""
    return "world/limb" if limb_name == "world" else limb_name


def build_spec(morphology: Morphology, *, scene: bool = True) -> mujoco.MjSpec:
    """Editable model of a body.

    Args:
        morphology: the body; it spawns with ``SPAWN_CLEARANCE`` under its lowest point.
        scene: with floor, collision shapes and contacts; False for kinematics alone.
    """
    spec = mujoco.MjSpec()
    spec.modelname = morphology.name
    spec.option.timestep = PHYSICS_STEP_S
    spec.compiler.degree = False
    if scene:
        _add_scene(spec)
    bodies: list[mujoco.MjsBody] = []
    for index, limb in enumerate(morphology.limbs):
        parent = spec.worldbody if index == 0 else bodies[limb.parent]
        body = parent.add_body(name=body_name(limb.name), pos=limb.position)
        if index == 0:
            body.pos = (0.0, 0.0, morphology.standing_height + SPAWN_CLEARANCE)
            body.add_freejoint(name="root/free")
        _fill_body(spec, body, limb, scene)
        bodies.append(body)
    for kind, _size in LIMB_SENSORS:
        for limb in morphology.limbs:
            spec.add_sensor(
                name=f"{kind.name}/{limb.name}",
                type=kind,
                objtype=mujoco.mjtObj.mjOBJ_XBODY,
                objname=body_name(limb.name),
            )
    return spec


def build_model(morphology: Morphology, *, scene: bool = True) -> mujoco.MjModel:
    """Compiled model of a body; see ``build_spec``."""
    return build_spec(morphology, scene=scene).compile()


def rest_qpos(model: mujoco.MjModel, morphology: Morphology) -> np.ndarray:
    """(7 + J,) spawn configuration: upright torso above the origin, joints at their rest positions."""
    qpos = model.qpos0.copy()
    qpos[7:] = morphology.rest_positions
    return qpos


def _add_scene(spec: mujoco.MjSpec) -> None:
    spec.stat.extent = VIEW_EXTENT
    grid = {"builtin": mujoco.mjtBuiltin.mjBUILTIN_CHECKER, "type": mujoco.mjtTexture.mjTEXTURE_2D}
    spec.add_texture(name="grid", width=256, height=256, rgb1=(0.22, 0.26, 0.3), rgb2=(0.27, 0.31, 0.36), **grid)
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.75, 0.85, 0.95),
        rgb2=(0.95, 0.97, 1.0),
        width=128,
        height=128,
    )
    textures = [""] * int(mujoco.mjtTextureRole.mjNTEXROLE)
    textures[int(mujoco.mjtTextureRole.mjTEXROLE_RGB)] = "grid"
    spec.add_material(name="floor", textures=textures, texrepeat=(1.0, 1.0), texuniform=True)
    spec.worldbody.add_light(
        pos=(0, 0, 8), dir=(0.2, 0.3, -1), type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=False
    )
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=FLOOR_HALF_SIZE,
        pos=(0, 0, -FLOOR_HALF_SIZE[2]),
        material="floor",
        friction=FRICTION,
        condim=3,
    )


def _fill_body(spec: mujoco.MjSpec, body: mujoco.MjsBody, limb: Limb, scene: bool) -> None:
    body.mass = limb.mass
    body.ipos = limb.com
    body.fullinertia = _physical_inertia(limb)
    body.explicitinertial = True
    for hinge in limb.hinges:
        joint = body.add_joint(name=hinge.name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=hinge.axis)
        joint.range = (hinge.lower, hinge.upper)
        joint.limited = mujoco.mjtLimited.mjLIMITED_TRUE
        _set_linear(joint, "damping", hinge.damping)
        _set_linear(joint, "stiffness", hinge.stiffness)
        joint.armature = hinge.armature
        joint.solimp_limit = SOLIMP_LIMIT
        motor = spec.add_actuator(name=hinge.name, target=hinge.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_motor()
        motor.gear[0] = hinge.effort_limit
        motor.ctrlrange = (-1.0, 1.0)
        motor.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
    if scene:
        for number, shape in enumerate(limb.shapes):
            _add_shape(spec, body, limb, number, shape)


def _physical_inertia(limb: Limb) -> tuple[float, ...]:
    """The limb's tensor; where rounding in a file broke the triangle inequality, the nearest one that holds it."""
    moments, axes = np.linalg.eigh(limb.inertia_matrix)
    lack = moments[2] * (1 + 1e-9) - moments[0] - moments[1]
    if lack <= 0:
        return limb.inertia
    tensor = axes @ np.diag(moments + np.array([lack / 2, lack / 2, 0.0])) @ axes.T
    return tuple(tensor[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]].tolist())


def _set_linear(joint: mujoco.MjsJoint, name: str, value: float) -> None:
    """Set a coefficient that newer MuJoCo versions keep as a polynomial, constant term first."""
    if np.ndim(getattr(joint, name)):
        getattr(joint, name)[0] = value
    else:
        setattr(joint, name, value)


def _add_shape(spec: mujoco.MjSpec, body: mujoco.MjsBody, limb: Limb, number: int, shape: Shape) -> None:
    geom = body.add_geom(name=f"{limb.name}/{number}", friction=FRICTION, condim=3, mass=0.0)
    geom.rgba = (0.85, 0.45, 0.2, 1.0) if limb.parent < 0 else (0.3, 0.5, 0.7, 1.0)
    if isinstance(shape, Capsule):
        geom.type = mujoco.mjtGeom.mjGEOM_CAPSULE
        geom.fromto = (*shape.start, *shape.end)
        geom.size = (shape.radius, 0, 0)
    elif isinstance(shape, Sphere):
        geom.type, geom.pos, geom.size = mujoco.mjtGeom.mjGEOM_SPHERE, shape.center, (shape.radius, 0, 0)
    elif isinstance(shape, (Box, Cylinder)):
        geom.pos = shape.center
        geom.quat = quaternion_from_matrix(matrix_from_rpy(shape.rpy))
        if isinstance(shape, Box):
            geom.type, geom.size = mujoco.mjtGeom.mjGEOM_BOX, shape.half_extents
        else:
            geom.type, geom.size = mujoco.mjtGeom.mjGEOM_CYLINDER, (shape.radius, shape.half_length, 0)
    else:
        name = f"{limb.name}/{number}"
        mesh = spec.add_mesh(name=name, uservert=np.asarray(shape.vertices, dtype=float).ravel())
        mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
        geom.type, geom.meshname = mujoco.mjtGeom.mjGEOM_MESH, name
