"""``gallery``: one page with an animated picture of every robot on its generated policy and, beside it, without effort.

The page is one file that needs nothing else. Pictures are rendered off-screen (package libegl1 or libosmesa6).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import mujoco

from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S, build_model
from hd_controller.policy_source import policy_of
from hd_controller.shipped_files import generator_folder, shipped_robots
from hd_controller.whole_file import write_whole
from hd_sim_bridge.closed_loop import Trajectory, run_closed_loop, run_without_effort
from hd_sim_bridge.gallery_page import Exhibit, page
from hd_sim_bridge.simulation import STEP_NS
from hd_sim_bridge.video import Video

EXAMPLES = """examples:
  gallery                                                    all shipped robots, gallery.html
  gallery --robots quadruped my.urdf --seconds 10 --out a.html
  gallery --generator runs/laptop/generator --json           figures for a script, beside the page
"""


@dataclass(frozen=True)
class Show:
    """What is shown of every robot."""

    generator: str
    seconds: float
    seed: int

    @property
    def steps(self) -> int:
        """Control steps."""
        return max(1, round(self.seconds / CONTROL_PERIOD_S))


def animated(morphology: Morphology, trajectory: Trajectory, file: Path) -> bytes:
    """The animated picture (WebP) of a trajectory; raises HdError where it cannot be rendered."""
    video = Video(str(file), patient=True, log=lambda sentence: None)
    video.begin(build_model(morphology))
    for step, qpos in enumerate(trajectory.qpos):
        video.add(step * STEP_NS, qpos)
    video.close()
    if video.problem or not file.is_file():
        raise HdError(f"no gallery: {video.problem or 'the renderer did not finish in time'}")
    return file.read_bytes()


def exhibit(robot: str, show: Show, folder: Path) -> Exhibit:
    """Simulate and film one robot, by name or file; raises HdError."""
    bundle = policy_of(robot, show.generator)
    body = bundle.morphology
    driven, idle = run_closed_loop(bundle, show.steps, show.seed), run_without_effort(body, show.steps, show.seed)
    seconds = show.steps * CONTROL_PERIOD_S
    return Exhibit(
        name=body.name, limbs=len(body.limbs), joints=len(body.joint_names), mass_kg=body.total_mass,
        in_distribution=bundle.in_distribution, seconds=seconds,
        distance_m=driven.distance_m, speed_m_s=driven.distance_m / seconds,
        idle_distance_m=idle.distance_m, idle_speed_m_s=idle.distance_m / seconds,
        picture=animated(body, driven, folder / "policy.webp"), idle_picture=animated(body, idle, folder / "idle.webp"))


def exhibits(robots: list[str], show: Show) -> list[Exhibit]:
    """All robots, with a line of progress for each."""
    shown: list[Exhibit] = []
    with tempfile.TemporaryDirectory(prefix="hd_gallery_") as folder:
        for count, robot in enumerate(robots, 1):
            shown.append(exhibit(robot, show, Path(folder)))
            one = shown[-1]
            print(f"[{count}/{len(robots)}] {one.name}: {one.distance_m:.2f} m in {one.seconds:g} s "
                  f"({one.speed_m_s:.2f} m/s), without effort {one.idle_distance_m:.2f} m", file=sys.stderr, flush=True)
    return shown


def figures(shown: list[Exhibit], show: Show, generator_id: str) -> dict:
    """All numbers of the page, ready for JSON."""
    robots = [{name: value for name, value in asdict(one).items() if not isinstance(value, bytes)} for one in shown]
    return {"generator_id": generator_id, "seed": show.seed, "mujoco": mujoco.__version__, "robots": robots}


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(prog="gallery", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--robots", nargs="+", metavar="ROBOT", help="shipped names or files; default: all shipped")
    result.add_argument("--generator", default="default", help="generator bundle: shipped name or folder")
    result.add_argument("--seconds", type=float, default=6.0, help="simulated time of each picture (default 6)")
    result.add_argument("--seed", type=int, default=0, help="seed of the small noise in the first pose (default 0)")
    result.add_argument("--out", type=Path, default=Path("gallery.html"), help="page to write (default gallery.html)")
    result.add_argument("--json", action="store_true", help="print the figures as JSON")
    return result


def run(arguments: argparse.Namespace) -> dict:
    """Make the page; returns its figures. Raises HdError."""
    if not 0.1 <= arguments.seconds <= 120:
        raise HdError(f"--seconds is {arguments.seconds:g}; expected 0.1 to 120")
    if arguments.seed < 0:
        raise HdError(f"--seed is {arguments.seed}; expected 0 or a positive number")
    out = arguments.out.expanduser().absolute()
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise HdError(f"--out is '{arguments.out}', which cannot be written; expected a file in a folder that is there")
    generator_id = GeneratorBundle.load(generator_folder(arguments.generator)).generator_id
    show = Show(arguments.generator, arguments.seconds, arguments.seed)
    shown = exhibits(arguments.robots or sorted(shipped_robots()), show)
    result = figures(shown, show, generator_id)
    write_whole(out, page(shown, result).encode())
    print(f"{len(shown)} robots on {arguments.out} ({out.stat().st_size / 1e6:.1f} MB)", file=sys.stderr)
    return result


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, 1 with a sentence, or 130 after Ctrl-C."""
    arguments = parser().parse_args(argv)
    try:
        result = run(arguments)
    except HdError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; no page was written", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
