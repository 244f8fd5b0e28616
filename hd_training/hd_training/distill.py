"""Command `distill`: behaviour cloning of a teacher by a student, out of a dataset written by `collect`.

A batch holds whole robots, so that each robot's weights are generated once for all of its samples. The loss is the KL
divergence between teacher and student at equal action std, balanced over robots with few and many joints; by default
without its constant factor, which leaves half the squared error of mean actions. Departure from the paper: the
teacher's means are clipped to [-1, 1], since actuators do so and the student need not copy what has no effect.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.argument_types import natural, number_from_zero, positive, positive_number, share
from hd_training.checkpoint import make_run_folder
from hd_training.context_encoders import ENCODERS
from hd_training.context_sets import CONTEXT_SETS
from hd_training.distiller import Distiller, StudentDiverged
from hd_training.input_scale import InputScale
from hd_training.learner_state import CHECKPOINT
from hd_training.placement import Placement
from hd_training.presets import DROPOUT_PLACEMENTS, HYPERDISTILL, PRESETS, DistillConfig, Preset
from hd_training.robot_set import read_robots
from hd_training.shipped_sets import held_out_set
from hd_training.stop_request import StopRequest
from hd_training.student_evaluation import mean_return
from hd_training.student_files import StudentFiles, run_facts
from hd_training.student_log import Alarm, StudentLog, advance, progress_bar
from hd_training.students import STUDENT, STUDENTS, build_student, describe_student
from hd_training.teacher_source import UNIVERSAL, TeacherSource
from hd_training.trajectory_index import DatasetIndex
from hd_training.trajectory_stream import Batch, TrajectoryStream

LOG_UPDATES = 100
OVERRIDES = (
    ("minutes", positive_number, "training time in all [min], earlier runs included"),
    ("passes", positive_number, "passes over the data in all"),
    ("max_updates", positive, "gradient steps in all"),
    ("rows", positive, "rows of each robot that are used"),
    ("learning_rate", positive_number, "Adam's rate"),
    ("averaging", share, "decay of averaged weights, for example 0.999; 0: none"),
    ("action_std", ("unit", "teacher"), "std in the loss"),
    ("memory_mb", positive_number, "trajectories held in memory [MB]"),
    ("evaluate_minutes", number_from_zero, "time between evaluations on training and test robots [min]; 0: none"),
    ("encoder", tuple(ENCODERS), "context encoder of hyperdistill"),
    ("encoder_width", positive, "width of hyperdistill's context encoders"),
    ("context_dropout", share, "rate of dropout"),
    ("dropout_placement", DROPOUT_PLACEMENTS, "where dropout is"),
    ("policy_width", positive, "hidden width of the generated policy"),
    ("hidden_layers", natural, "hidden-to-hidden matrices of the generated policy"),
    ("hidden_rank", natural, "rank of their generated part; 0: full"),
)  # fmt: skip
"""Fields of DistillConfig and StudentConfig that the command line sets: name, type or choices, help."""
EXAMPLES = """examples:
  distill --preset laptop --robots runs/a/robots --out runs/a
  distill --robots pd_robots --data runs/paper/data --out runs/tf --student modumorph --preset paper
  distill --robots pd_robots --data runs/paper/data --out runs/gnn --encoder gnn --context paper53 --minutes 30
  distill --robots pd_robots --data runs/c/data --out runs/c --init runs/a/student.pt
  distill --robots pd_robots --data runs/paper/data --out runs/gnn --encoder gnn --context paper53 --resume"""


@dataclass(frozen=True)
class Distillation:
    """What to distil into what."""

    robots: list[Morphology]
    preset: Preset
    data: Path  # folder of the dataset
    out: Path  # folder for the student
    student: str = HYPERDISTILL  # a name of STUDENTS
    context: str = "default"  # a name of CONTEXT_SETS
    teacher: Path | None = None  # what the dataset must be of; None: whatever collected it
    test_robots: tuple[Morphology, ...] = ()  # for evaluation while training
    init: Path | None = None  # student whose weights training begins with


def prefetched(stream: TrajectoryStream, start: int) -> Iterator[Batch]:
    """Batches from number `start` on; the next one is prepared while this one is used."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(stream.batch, start)
        while True:
            batch, start = following.result(), start + 1
            following = pool.submit(stream.batch, start)
            yield batch


def open_dataset(job: Distillation) -> DatasetIndex:
    """The index of the dataset; HdError where it lacks a robot or is of another teacher."""
    index = DatasetIndex.load(job.data)
    index.require(job.data, job.robots)
    if job.teacher is not None:
        source = TeacherSource.open(job.teacher, job.robots)
        index.require_teacher(job.data, job.robots, source.fingerprints(job.robots))
    return index


def input_scale(job: Distillation, index: DatasetIndex) -> InputScale:
    """Normalisation: a universal teacher's own, which is frozen; of experts' data, whose scales differ, the data's."""
    if index.teacher["kind"] != UNIVERSAL:
        return InputScale.of(job.context, job.robots, index.moments(job.robots), None)
    moments = index.moments(job.robots)
    moments.load(index.teacher["moments"])
    return InputScale.of(job.context, job.robots, moments, index.teacher)


def total_updates(config: DistillConfig, stream: TrajectoryStream) -> int:
    """Gradient steps after which training ends whatever the clock says."""
    if config.passes is None:
        return config.max_updates
    return min(config.max_updates, math.ceil(config.passes * stream.epochs_per_pass) * stream.batches_per_epoch)


def distill(job: Distillation, *, resume: bool = False) -> Path:
    """Train until the preset's minutes, passes or updates are spent; returns the student's file.

    Raises:
        HdError: the dataset or the run to resume does not fit, or the student diverged; then its file holds the last
            good weights.
    """
    preset, config = job.preset, job.preset.distill
    torch.set_num_threads(preset.workers)
    make_run_folder(job.out)
    index = open_dataset(job)
    scale = input_scale(job, index)
    stream = TrajectoryStream(job.data, index, job.robots, scale, config, seed=preset.seed)
    torch.manual_seed(preset.seed)
    description = describe_student(job.student, preset, scale.context_size, max(stream.limbs))
    distiller = Distiller(build_student(description), config, Placement.of(preset), seed=preset.seed)
    files = StudentFiles(job.out, run_facts(preset, job.robots, index, scale, description))
    if resume:
        files.load_into(distiller)
    elif job.init is not None:
        files.begin_with(job.init, distiller)
    with StudentLog(job.out, distiller.updates) as log:
        _train(job, distiller, stream, files, log)
    return files.student


def _train(
    job: Distillation, distiller: Distiller, stream: TrajectoryStream, files: StudentFiles, log: StudentLog
) -> None:
    """Updates until the end, with log lines, checkpoints and evaluations by the clock of training."""
    config = job.preset.distill
    total, good = total_updates(config, stream), distiller.state()
    save_due = Alarm(config.checkpoint_minutes, distiller.seconds)
    evaluation_due = Alarm(config.evaluate_minutes or math.inf, distiller.seconds)
    with StopRequest() as stop, progress_bar(config, total, distiller) as bar:
        begin = time.perf_counter()
        for batch in prefetched(stream, distiller.updates):
            progress = max(distiller.seconds / (60 * config.minutes), distiller.updates / total)
            if progress >= 1.0 or stop.asked:
                break
            try:
                distiller.update(batch, progress)
            except StudentDiverged as error:
                raise files.diverged(distiller, good, error) from None
            distiller.seconds += time.perf_counter() - begin
            begin = time.perf_counter()  # before the next batch: waiting for data is training time, too
            advance(bar, distiller)
            if distiller.updates % LOG_UPDATES == 0:
                good = distiller.state() if distiller.healthy else good
                bar.set_postfix(log.write(distiller), refresh=False)
            if save_due(distiller.seconds):
                files.save(distiller)
            if evaluation_due(distiller.seconds):
                _evaluate(job, distiller, stream.scale, log)
                begin = time.perf_counter()
    log.write(distiller)
    files.save(distiller)
    stop.finish()
    if config.evaluate_minutes:
        _evaluate(job, distiller, stream.scale, log)


def _evaluate(job: Distillation, distiller: Distiller, scale: InputScale, log: StudentLog) -> None:
    """Mean returns on training and test robots into the log."""
    preset = job.preset
    sets = {"train": list(job.robots), "test": list(job.test_robots)}
    returns = {
        name: mean_return(
            distiller.result, scale, robots, preset.distill, steps=preset.evaluate.steps, workers=preset.workers
        )
        for name, robots in sets.items()
    }
    log.write_returns(distiller, returns)
    tqdm.write(f"update {distiller.updates}: return {returns['train']:.1f} train, {returns['test']:.1f} test")


def distill_folder(robots: list[Morphology], preset: Preset, folder: Path, *, resume: bool = False) -> Path:
    """Distil the teacher of a run's folder from its data/ into its student.pt, as the whole chain does."""
    teacher = folder / CHECKPOINT
    tests = tuple(read_robots([held_out_set()])) if preset.distill.evaluate_minutes else ()
    job = Distillation(robots, preset, folder / "data", folder, teacher=teacher, test_robots=tests)
    return distill(job, resume=resume)


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        prog="distill", description="Distil collected trajectories of a teacher into a student.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="sizes and durations")
    result.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders")
    result.add_argument("--out", type=Path, required=True, help=f"folder for {STUDENT} and its log")
    result.add_argument("--data", type=Path, help="dataset written by collect (default: OUT/data)")
    of = f"what the dataset must be of: a teacher or folder of experts (default: OUT/{CHECKPOINT} if there)"
    result.add_argument("--teacher", type=Path, help=of)
    result.add_argument("--student", choices=STUDENTS, default=HYPERDISTILL, help="network (default: hyperdistill)")
    result.add_argument("--context", choices=CONTEXT_SETS, default="default", help="what it reads of a body")
    result.add_argument("--test-robots", type=Path, nargs="+", help="for evaluation while training (default: shipped)")
    for name, kind, text in OVERRIDES:
        of_kind = {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
        result.add_argument(f"--{name.replace('_', '-')}", **of_kind, help=f"{text} (default: the preset's)")
    result.add_argument("--init", type=Path, metavar="FILE", help="student of the same sizes to begin with")
    result.add_argument("--seed", type=natural, help="seed (default: the preset's)")
    result.add_argument("--device", choices=["cpu", "cuda"], help="where the student trains (default: the preset's)")
    begun = result.add_mutually_exclusive_group()
    begun.add_argument("--resume", action="store_true", help="continue the run in --out")
    begun.add_argument("--overwrite", action="store_true", help="replace the student in --out")
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    return result


def chosen_preset(arguments: argparse.Namespace) -> Preset:
    """The preset with what the command line changes."""
    preset, values = PRESETS[arguments.preset], vars(arguments)
    for part in ("distill", "student"):
        config = getattr(preset, part)
        known = {field.name for field in fields(config)}
        given = {name: values[name] for name, *_ in OVERRIDES if name in known and values[name] is not None}
        preset = replace(preset, **{part: replace(config, **given)})
    of_run = {name: values[name] for name in ("seed", "device") if values[name] is not None}
    return replace(preset, **of_run)


def require_new(arguments: argparse.Namespace) -> None:
    """HdError where there is a student that is neither to be continued nor replaced."""
    path = arguments.out / STUDENT
    if path.exists() and not (arguments.resume or arguments.overwrite):
        raise HdError(f"{path} is there already; continue it with --resume, replace it with --overwrite")


def job_of(arguments: argparse.Namespace) -> Distillation:
    """What the command line asks for."""
    robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
    preset, out = chosen_preset(arguments), arguments.out
    present = out / CHECKPOINT if (out / CHECKPOINT).exists() else None
    wanted = preset.distill.evaluate_minutes
    tests = read_robots(arguments.test_robots or [held_out_set()]) if wanted else []
    return Distillation(
        robots, preset, arguments.data or out / "data", out, student=arguments.student, context=arguments.context,
        teacher=arguments.teacher or present, test_robots=tuple(tests), init=arguments.init,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Distil a dataset."""
    arguments = parser().parse_args(argv)
    try:
        require_new(arguments)
        path = distill(job_of(arguments), resume=arguments.resume)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted; continue with --resume --out {arguments.out}")
        return 130
    print(f"student saved to {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
