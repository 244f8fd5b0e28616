"""Command `export_bundle`: the trained hypernetwork as a generator bundle that the nodes load.

Weights are stored as float16 and cast to float32 when the network runs, which halves the file; the error of a weight
is at most 2^-11 of its size. A bundle is held against torch on all robots that are given before it is written.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from hd_controller.context import CONTEXT_SIZE
from hd_controller.coverage import trained_ranges
from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle, save_generator_bundle
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_training.bundle_parity import BIG_TENSOR, measure_parity
from hd_training.hypernetwork import ExportedHypernetwork, Hypernetwork
from hd_training.input_scale import InputScale
from hd_training.presets import HYPERDISTILL
from hd_training.robot_set import read_robots
from hd_training.students import STUDENT, load_student


def onnx_bytes(hypernetwork: Hypernetwork, *, half: bool = True) -> bytes:
    """The ONNX model for any number of limbs; `half` stores big float tensors as float16."""
    module = ExportedHypernetwork(hypernetwork.eval()).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of an optional library that is not needed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (torch.randn(7, CONTEXT_SIZE),),
            dynamo=True,
            input_names=["context"],
            output_names=module.output_names(),
            dynamic_shapes={"context": {0: torch.export.Dim("limbs", min=1, max=512)}},
            verbose=False,
        )
    model = program.model_proto
    for entry in list(model.metadata_props):
        model.metadata_props.remove(entry)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return (_with_half_weights(model) if half else model).SerializeToString()


def _with_half_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace big float32 initialisers by float16 ones, each followed by a Cast."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < BIG_TENSOR:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def git_revision() -> str:
    """Revision of the source tree, or 'unknown' outside of one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def provenance(content: dict, robots: list[Morphology], results: dict | None) -> dict:
    """Where a bundle comes from: robots, steps, seeds, revision, measured returns."""
    preset, progress = json.loads(content["preset"]), content["progress"]
    return {
        "robots": [{"name": robot.name, "body_id": robot.body_id} for robot in robots],
        "teacher": _about_teacher(content["teacher"]),
        "student": {
            "samples": content["samples"], "updates": progress["updates"],
            "minutes": round(progress["seconds"] / 60, 1), "loss": progress["loss"],
            "dataset_sha256": content["dataset_sha256"], "collection": content["collection"],
            "began_with": content.get("origin"),
        },
        "seed": preset["seed"],
        "preset": preset,
        "git_revision": git_revision(),
        "results": results or {},
    }


def _about_teacher(teacher: dict) -> dict:
    if "counters" not in teacher:
        return teacher
    steps, iterations, seconds = teacher["counters"]
    about = {"steps": steps, "iterations": iterations, "minutes": round(seconds / 60, 1)}
    return about | {"kind": teacher["kind"], "sha256": teacher["sha256"]}


def _exportable(path: Path, content: dict) -> None:
    """HdError unless a robot can run what a student needs."""
    description, context = content["description"], content["context"]
    encoder = description.get("encoder")
    if description["network"] == HYPERDISTILL and context == "default" and encoder != "gnn":
        return
    what = description["network"] + (f" with encoder {encoder}" if encoder else "")
    raise HdError(
        f"{path} holds {what} on the context set {context}; a bundle takes {HYPERDISTILL} with encoder transformer or "
        "mlp on the context set default, which robots compute"
    )


def export_bundle(student: Path, robots: list[Morphology], folder: Path, results: dict | None = None) -> Path:
    """Write the generator bundle of a student trained on these robots; prints how well it agrees with torch on them.

    Raises:
        HdError: the student cannot be exported, robots are missing, or the bundle gives other numbers than torch.
    """
    trained_student, content = load_student(student)
    _exportable(student, content)
    trained = set(content["body_ids"])
    known = [robot for robot in robots if robot.body_id in trained]
    if len(known) != len(trained):
        raise HdError(f"{student} was trained on {len(trained)} robots, {len(known)} of them were given; give them all")
    scale = InputScale.load(content)
    moments = scale.moments
    header = {
        "context_mean": content["context_mean"],
        "context_std": content["context_std"],
        "trained_ranges": trained_ranges(known),
        "observation_mean": moments.mean.tolist(),
        "observation_std": moments.std.tolist(),
        "observation_clip": moments.clip,
        "control_period_s": CONTROL_PERIOD_S,
        "provenance": provenance(content, known, results),
    }
    network = onnx_bytes(trained_student.network)
    with TemporaryDirectory() as trial:
        save_generator_bundle(trial, network, header)
        print(measure_parity(trained_student, scale, GeneratorBundle.load(trial), robots), file=sys.stderr)
    save_generator_bundle(folder, network, header)
    return folder


def main(argv: list[str] | None = None) -> int:
    """Export the student of a folder."""
    parser = argparse.ArgumentParser(
        prog="export_bundle", description="Write the generator bundle of a trained student.",
        epilog="example: export_bundle --robots runs/laptop/robots --out runs/laptop",
    )  # fmt: skip
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="the robots it was trained on")
    parser.add_argument("--out", type=Path, required=True, help=f"folder with {STUDENT}; the bundle goes to generator/")
    arguments = parser.parse_args(argv)
    results = arguments.out / "evaluation.json"
    try:
        measured = json.loads(results.read_text(encoding="utf-8"))["summary"] if results.exists() else None
        robots = read_robots(arguments.robots)
        print("writing the network as ONNX ...", file=sys.stderr, flush=True)
        folder = export_bundle(arguments.out / STUDENT, robots, arguments.out / "generator", measured)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"generator bundle in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
