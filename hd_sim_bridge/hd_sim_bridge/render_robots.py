"""``render_robots``: one picture of several robots side by side, rendered off-screen.

Needs an off-screen OpenGL: set ``MUJOCO_GL=egl`` (package libegl1) or ``MUJOCO_GL=osmesa`` (package libosmesa6).
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco
import numpy as np

from hd_controller.command_manners import mannered
from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import build_model, rest_qpos
from hd_controller.robot_file import read_robot
from hd_controller.shipped_files import shipped_robots

LARGEST_PX = 8192
SETTLE_STEPS = 300
"""Physics steps without effort before the picture, so that robots stand on the ground."""


def picture(morphology: Morphology, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8 picture of a robot standing in the flat scene."""
    model = build_model(morphology)
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    data = mujoco.MjData(model)
    data.qpos[:] = rest_qpos(model, morphology)
    mujoco.mj_step(model, data, nstep=SETTLE_STEPS)
    low = data.geom_xpos[1:].min(axis=0)  # geom 0 is the floor
    high = data.geom_xpos[1:].max(axis=0)
    camera = mujoco.MjvCamera()
    camera.lookat[:] = (low + high) / 2
    camera.distance = 0.8 + 1.2 * float(np.linalg.norm(high - low))
    camera.azimuth, camera.elevation = 120.0, -22.0
    with mujoco.Renderer(model, height, width) as renderer:
        renderer.update_scene(data, camera)
        return renderer.render().copy()


def grid(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """One picture from equal ones, row by row; missing places are white."""
    blank = np.full_like(pictures[0], 255)
    rows = -(-len(pictures) // columns)
    padded = pictures + [blank] * (rows * columns - len(pictures))
    return np.concatenate([np.concatenate(padded[k * columns : (k + 1) * columns], axis=1) for k in range(rows)])


@mannered
def main(argv: list[str] | None = None) -> int:
    """Write the picture; exit code 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(
        prog="render_robots", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: MUJOCO_GL=osmesa ros2 run hd_sim_bridge render_robots --out robots.png",
    )  # fmt: skip
    parser.add_argument("robots", nargs="*", type=Path, help="robot files; default: the shipped robots")
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--size", type=int, nargs=2, default=(320, 260), metavar=("WIDTH", "HEIGHT"))
    arguments = parser.parse_args(argv)
    if min(arguments.columns, *arguments.size) < 1 or max(arguments.size) > LARGEST_PX:
        parser.error(f"--columns and --size must be at least 1, and --size at most {LARGEST_PX}")
    try:
        from matplotlib import image
    except ImportError:
        print("matplotlib is not installed; install python3-matplotlib to write pictures", file=sys.stderr)
        return 1
    try:
        bodies = [read_robot(path, notes=[]) for path in arguments.robots or shipped_robots().values()]
        pictures = []
        for body in bodies:
            print(f"rendering {body.name} ...", file=sys.stderr, flush=True)
            pictures.append(picture(body, *arguments.size))
        image.imsave(arguments.out, grid(pictures, arguments.columns))
    except mujoco.FatalError as error:
        print(f"error: there is no off-screen OpenGL ({error}); install libegl1 or libosmesa6, and set MUJOCO_GL=egl "
              "or MUJOCO_GL=osmesa", file=sys.stderr)
        return 1
    except (HdError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(bodies)} robots written to {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
