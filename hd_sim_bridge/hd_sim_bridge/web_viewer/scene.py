"""Robots on the ground in a viser scene, and a camera that goes along with them. Needs no ROS.

The camera belongs to the browser, where it can be turned at any time. Following is done the other way round: for each
browser the world is moved under its camera.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh.creation
import viser

from hd_sim_bridge.web_viewer.drawing import Placed, RobotDrawing

WORLD = "/world"
SMOOTHING = 0.35
"""Part of the way to the robot that the view goes in each picture."""
JUMP_M = 3.0
"""A robot that far away has been put there: the view goes there at once."""
VIEW = np.array([1.2, -2.0, 1.2])
"""Where the camera is at first, from the robot [m]."""


def prepare(server: viser.ViserServer) -> None:
    """Ground, light and first view."""
    scene = server.scene
    scene.world_axes.visible = False
    scene.configure_environment_map(None)
    scene.add_light_hemisphere("/sky", sky_color=(255, 255, 255), ground_color=(150, 140, 130), intensity=1.0)
    scene.add_frame(WORLD, show_axes=False)
    scene.add_grid(f"{WORLD}/ground", infinite_grid=True, cell_size=0.5, section_size=1.0, fade_distance=25.0,
                   plane_color=(214, 220, 227), plane_opacity=1.0, cell_color=(190, 197, 205),
                   section_color=(140, 150, 160), shadow_opacity=0.35)
    server.initial_camera.position = tuple(VIEW)
    server.initial_camera.look_at = (0.0, 0.0, 0.25)


class RobotScene:
    """The solids of one robot in all browsers."""

    def __init__(self, server: viser.ViserServer, name: str) -> None:
        """name: of the node in the scene's tree; letters, digits and '_'."""
        self._server = server
        self._path = f"{WORLD}/{name}"
        self._frame = server.scene.add_frame(self._path, show_axes=False)
        self._nodes: dict[str, Any] = {}
        self._hulls: list[Any] = []

    def show(self, drawing: RobotDrawing) -> None:
        """Show this body, at rest, in the place of the one before."""
        self.clear()
        placed, hulls = drawing.place(drawing.at_rest)
        for kind, solids in drawing.solids.items():
            mesh = _UNIT_MESHES[kind]
            self._nodes[kind] = self._server.scene.add_batched_meshes_simple(
                f"{self._path}/{kind}", mesh.vertices, mesh.faces, placed[kind].orientations, placed[kind].positions,
                batched_scales=solids.scales.astype(np.float32), batched_colors=solids.colours.astype(np.uint8),
                lod="off", flat_shading=kind != "ball")
        for place, (hull, pose) in enumerate(zip(drawing.hulls, hulls, strict=True)):
            self._hulls.append(self._server.scene.add_mesh_simple(
                f"{self._path}/hull_{place}", hull.vertices, hull.faces, color=hull.colour, flat_shading=True,
                wxyz=pose.orientations[0], position=pose.positions[0]))

    def move(self, placed: dict[str, Placed], hulls: list[Placed]) -> None:
        """Show the robot in another pose."""
        for kind, poses in placed.items():
            node = self._nodes[kind]
            node.batched_positions = poses.positions.astype(np.float32)
            if kind != "ball":
                node.batched_wxyzs = poses.orientations.astype(np.float32)
        for node, pose in zip(self._hulls, hulls, strict=True):
            node.position, node.wxyz = pose.positions[0], pose.orientations[0]

    def put_aside(self, sideways_m: float) -> None:
        """Draw the robot that far along +y, so that robots of different simulations do not stand in each other."""
        self._frame.position = (0.0, sideways_m, 0.0)

    def clear(self) -> None:
        """Take the robot away."""
        for node in (*self._nodes.values(), *self._hulls):
            node.remove()
        self._nodes, self._hulls = {}, []

    def remove(self) -> None:
        """Take robot and frame away."""
        self.clear()
        self._frame.remove()


class FollowingView:
    """One browser's view: the world under its camera."""

    def __init__(self, client: viser.ClientHandle) -> None:
        self._frame = client.scene.add_frame(WORLD, show_axes=False)
        self._target: np.ndarray | None = None

    def follow(self, torso: np.ndarray) -> None:
        """One picture later the torso is at (3,) [m] in the world."""
        goal = np.array([torso[0], torso[1], 0.0])
        near = self._target is not None and float(np.linalg.norm(goal - self._target)) < JUMP_M
        self._target = self._target + SMOOTHING * (goal - self._target) if near else goal
        self._frame.position = tuple(-self._target)


_UNIT_MESHES = {
    "ball": trimesh.creation.icosphere(subdivisions=2, radius=1.0),
    "cylinder": trimesh.creation.cylinder(radius=1.0, height=2.0, sections=32),
    "box": trimesh.creation.box(extents=(2.0, 2.0, 2.0)),
}
"""Ball of radius 1, cylinder of radius 1 and height 2, cube of edge 2: what `drawing.Solids.scales` scales."""
