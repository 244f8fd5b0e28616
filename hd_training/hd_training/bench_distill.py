"""Command `bench_distill`: what generating weights once per robot gains over once per sample, and what dropout does.

Speed: gradient steps on the same batch (64 robots x 80 samples by default) in both ways, alternating; the table has the
median, and its last line the ratio. The per-sample way cuts a batch into pieces of 320 samples to bound memory. Curves:
with dropout the two ways differ, since a mask then holds for all of a robot's samples in a batch or for one sample;
`--curves` trains a student in both ways on a dataset and draws both losses.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.argument_types import positive
from hd_training.distill import Distillation, input_scale, open_dataset
from hd_training.distiller import Distiller
from hd_training.input_scale import InputScale
from hd_training.moments import RunningMoments
from hd_training.placement import Placement
from hd_training.presets import HYPERDISTILL, PRESETS, Preset
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import training_set
from hd_training.students import build_student, describe_student
from hd_training.trajectory_stream import Batch, TrajectoryStream

WAYS = {"once per robot": False, "once per sample": True}
EXAMPLES = """examples:
  bench_distill --preset gpu --device cpu                        the paper's sizes on this machine's processor
  bench_distill --preset laptop --curves runs/a/data --robots runs/a/robots --out runs/masks --updates 400"""


def random_batch(robots: list[Morphology], samples: int) -> Batch:
    """A batch of real bodies with random observations and actions: what is computed does not depend on the numbers."""
    scale = InputScale.of("default", robots, RunningMoments(17), None)
    bodies = scale.bodies(robots)
    observation = torch.randn(len(robots), samples, bodies.valid.shape[1], 17) * bodies.valid[:, None, :, None]
    return Batch(observation, torch.randn(*observation.shape[:3], 2), torch.ones(*bodies.slots.shape), bodies)


def distiller_of(preset: Preset, *, per_sample: bool, limbs: int = 0) -> Distiller:
    """A fresh hypernetwork in training, the same for both ways."""
    torch.manual_seed(preset.seed)
    config = replace(preset.distill, per_sample=per_sample)
    student = build_student(describe_student(HYPERDISTILL, preset, 29, limbs))
    return Distiller(student, config, Placement.of(preset), seed=preset.seed)


def measure_speed(preset: Preset, robots: list[Morphology], *, rounds: int) -> dict[str, float]:
    """Samples per second of both ways: median over rounds, which alternate; one unmeasured round warms up."""
    config = preset.distill
    batch = random_batch(robots[: config.robots], config.samples)
    distillers = {way: distiller_of(preset, per_sample=per_sample) for way, per_sample in WAYS.items()}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for index in tqdm(range(rounds + 1), desc="rounds", unit="round"):
        for way, distiller in distillers.items():
            begin = time.perf_counter()
            distiller.update(batch, 0.0)
            _wait(distiller)
            if index:
                seconds[way].append(time.perf_counter() - begin)
    samples = batch.action.shape[0] * batch.action.shape[1]
    return {way: samples / float(np.median(values)) for way, values in seconds.items()}


def _wait(distiller: Distiller) -> None:
    """Until the GPU is done, where there is one."""
    if distiller.placement.device.type == "cuda":
        torch.cuda.synchronize()


def speed_table(preset: Preset, speeds: dict[str, float], robots: int) -> str:
    """Markdown table of both ways."""
    config, once, each = preset.distill, *speeds.values()
    lines = [
        f"Batches of {robots} robots x {config.samples} samples, preset {preset.name}, on {preset.device}",
        "",
        "| weights are generated | samples/s |",
        "|---|---|",
        *(f"| {way} | {value:,.0f} |" for way, value in speeds.items()),
        f"| **ratio** | {once / each:.1f} |",
    ]
    return "\n".join(lines)


def loss_curves(preset: Preset, robots: list[Morphology], data: Path, updates: int) -> dict[str, list[float]]:
    """Loss of every update of both ways on the same batches of a dataset, from the same weights."""
    job = Distillation(robots, preset, data, data)
    index = open_dataset(job)
    scale = input_scale(job, index)
    stream = TrajectoryStream(data, index, robots, scale, preset.distill, seed=preset.seed)
    curves = {}
    for way, per_sample in WAYS.items():
        distiller = distiller_of(preset, per_sample=per_sample, limbs=max(stream.limbs))
        bar = tqdm(range(updates), desc=f"mask {way}", unit="update")
        curves[way] = [distiller.update(stream.batch(update), update / updates) for update in bar]
    return curves


def write_curves(curves: dict[str, list[float]], folder: Path) -> Path:
    """Write mask_losses.csv and mask_losses.png, smoothed over a twentieth of the updates."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "mask_losses.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["update", *(way.replace(" ", "_") for way in curves)])
        writer.writerows((update, *losses) for update, losses in enumerate(zip(*curves.values(), strict=True), start=1))
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="update", ylabel="loss", yscale="log")
    for way, losses in curves.items():
        axes.plot(_smoothed(losses), label=f"dropout mask {way.removeprefix('once ')}")
    axes.legend()
    figure.savefig(folder / "mask_losses.png", dpi=150)
    return folder / "mask_losses.png"


def _smoothed(values: list[float]) -> np.ndarray:
    width = max(1, len(values) // 20)
    return np.convolve(values, np.full(width, 1 / width), mode="valid")


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        prog="bench_distill", description="Speed of distillation with weights generated once per robot or per sample.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="sizes of student and batches")
    result.add_argument("--robots", type=Path, nargs="+", help="robot files or folders (default: shipped training set)")
    result.add_argument("--device", choices=["cpu", "cuda"], help="where it runs (default: the preset's)")
    result.add_argument("--threads", type=positive, default=1, help="threads of torch (default 1)")
    result.add_argument("--rounds", type=positive, default=5, help="measured rounds (default 5)")
    result.add_argument("--curves", type=Path, metavar="DATA", help="draw both losses on this dataset instead")
    result.add_argument("--updates", type=positive, default=200, help="updates of each curve (default 200)")
    result.add_argument("--out", type=Path, help="folder for the curves")
    result.add_argument("--json", action="store_true", help="print numbers as JSON")
    return result


def run(arguments: argparse.Namespace) -> str:
    """What the command prints; HdError where something does not fit."""
    preset = PRESETS[arguments.preset]
    preset = replace(preset, device=arguments.device or preset.device)
    torch.set_num_threads(arguments.threads)
    robots = read_robots(arguments.robots or [training_set()])
    if arguments.curves is None:
        speeds = measure_speed(preset, robots, rounds=arguments.rounds)
        if arguments.json:
            return json.dumps(speeds | {"ratio": speeds["once per robot"] / speeds["once per sample"]}, indent=1)
        return speed_table(preset, speeds, min(len(robots), preset.distill.robots))
    if arguments.out is None:
        raise HdError("--curves needs a folder for its files; give one with --out")
    curves = loss_curves(preset, robots, arguments.curves, arguments.updates)
    last = max(1, arguments.updates // 10)
    ends = ", ".join(f"{way} {np.mean(losses[-last:]):.5f}" for way, losses in curves.items())
    path = write_curves(curves, arguments.out)
    return f"mean loss of the last {last} updates, weights and mask: {ends}\ncurves in {path}"


def main(argv: list[str] | None = None) -> int:
    """Measure or draw."""
    arguments = parser().parse_args(argv)
    try:
        print(run(arguments))
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
