"""Short films of the best, the median and the worst robot of an evaluation, rendered off-screen.

Needs an off-screen OpenGL: MUJOCO_GL=egl (package libegl1) or MUJOCO_GL=osmesa (package libosmesa6).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S, build_model
from hd_training.engine import Engine
from hd_training.evaluation_policies import Act

WIDTH, HEIGHT = 320, 240
STEPS_PER_FRAME = 2  # 25 frames per second
FORMATS = ("gif", "mp4")


def ranked(result: dict, policy: str) -> dict[str, str]:
    """Names of the best, the median and the worst robot by this policy's mean return."""
    names = sorted(result["robots"], key=lambda name: -result["robots"][name][policy]["return"])
    return {"best": names[0], "median": names[len(names) // 2], "worst": names[-1]}


def require_format(suffix: str | None) -> None:
    """HdError for a film format that this machine cannot write."""
    if suffix == "mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise HdError("MP4 needs the Python package imageio-ffmpeg; install it, or choose --video gif")


def film(robot: Morphology, act: Act, *, steps: int, seed: int) -> list[np.ndarray]:
    """Frames (HEIGHT, WIDTH, 3) uint8 of the first episode, at most `steps` control steps; HdError without OpenGL."""
    engine = Engine([robot], environments=1, seed=seed, workers=1, episode_steps=steps)
    model = build_model(robot)
    data, camera = mujoco.MjData(model), mujoco.MjvCamera()
    camera.distance, camera.azimuth, camera.elevation = 2.0 + 2.5 * robot.standing_height, 110.0, -18.0
    frames = []
    try:
        with mujoco.Renderer(model, HEIGHT, WIDTH) as renderer:
            for step in range(steps):
                if step % STEPS_PER_FRAME == 0:
                    data.qpos[:] = engine.robots[0].qpos[0]
                    mujoco.mj_forward(model, data)
                    camera.lookat[:] = data.qpos[0], data.qpos[1], 0.5 * robot.standing_height
                    renderer.update_scene(data, camera)
                    frames.append(renderer.render().copy())
                if engine.step(act(engine.observation)).ended[0, 0]:
                    break
    except HdError:
        raise
    except Exception as error:
        raise HdError(f"cannot render without a screen: {error}; set MUJOCO_GL=egl or MUJOCO_GL=osmesa") from error
    finally:
        engine.close()
    return frames


def write_film(frames: list[np.ndarray], path: Path) -> None:
    """Write a .gif or .mp4; see :func:`require_format`."""
    period = STEPS_PER_FRAME * CONTROL_PERIOD_S
    if path.suffix == ".gif":
        from PIL import Image

        first, *others = [Image.fromarray(frame) for frame in frames]
        first.save(path, save_all=True, append_images=others, duration=round(1000 * period), loop=0)
        return
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(str(path), (WIDTH, HEIGHT), fps=round(1 / period))
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame))
    writer.close()


def write_videos(
    result: dict, robots: dict[str, Morphology], policy: str, policy_of: Callable[[list[Morphology]], Act],
    folder: Path, *, suffix: str, steps: int,
) -> list[Path]:
    """Write `folder`/video_RANK_ROBOT.SUFFIX for best, median and worst; `policy_of` binds the policy to robots."""
    paths = []
    for rank, name in ranked(result, policy).items():
        frames = film(robots[name], policy_of([robots[name]]), steps=steps, seed=result["seed"])
        paths.append(folder / f"video_{rank}_{name}.{suffix}")
        write_film(frames, paths[-1])
    return paths
