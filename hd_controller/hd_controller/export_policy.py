"""``export_policy``: one robot's controller as ONNX file, as C99 source for microcontrollers, or as policy bundle."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnxruntime

from hd_controller.c_export import DEFAULT_PREFIX, c_sources
from hd_controller.command_manners import mannered
from hd_controller.errors import HdError
from hd_controller.exported_layers import exported_network, raw_actions
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.onnx_export import onnx_model
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.policy_source import policy_of
from hd_controller.whole_file import write_whole

TOLERANCE = 1e-5
"""Largest accepted |a - b| / max(1, |b|) of actions before clipping, b from the numpy controller."""
CHECKED_OBSERVATIONS = 256


def random_observations(bundle: PolicyBundle, count: int, seed: int = 0) -> np.ndarray:
    """(count, L, 17) float32 observations as the normalisation expects them, every eighth far outside of it."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, len(bundle.morphology.limbs), OBSERVATION_SIZE))
    values[::8] *= 20.0
    return (values * bundle.observation_std + bundle.observation_mean).astype(np.float32)


def largest_difference(bundle: PolicyBundle, observations: np.ndarray, actions: np.ndarray) -> float:
    """Largest |a - b| / max(1, |b|) between exported actions (N, J) and the numpy controller's."""
    wanted = np.array([raw_actions(bundle, observation) for observation in observations])
    return float((np.abs(actions - wanted) / np.maximum(1.0, np.abs(wanted))).max())


def checked_onnx(bundle: PolicyBundle) -> tuple[bytes, float]:
    """The ONNX file and how far it is from the numpy controller; raises HdError where that is too far."""
    content = onnx_model(bundle)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    observations = random_observations(bundle, CHECKED_OBSERVATIONS)
    difference = largest_difference(bundle, observations, session.run(["actions"], {"observation": observations})[0])
    if not difference <= TOLERANCE:
        raise HdError(f"The ONNX network differs from the controller by {difference:.2g}; expected at most "
                      f"{TOLERANCE:g}: the policy's weights are too large for float32, train or generate it again.")
    return content, difference


def export(bundle: PolicyBundle, kind: str, out: Path, prefix: str) -> list[str]:
    """Write the file or the folder; returns the lines to print."""
    network = exported_network(bundle)
    body = bundle.morphology
    lines = [f"robot '{body.name}': {len(body.limbs)} limbs, {len(body.joint_names)} joints, "
             f"{network.multiply_adds} multiply-adds every {bundle.control_period_s:g} s"]
    if kind == "npz":
        bundle.save(out)
        return [*lines, f"{out}: {out.stat().st_size} bytes"]
    if kind == "onnx":
        content, difference = checked_onnx(bundle)
        write_whole(out, content)
        return [*lines, f"{out}: {len(content)} bytes; differs from the numpy controller by {difference:.1e} at most"]
    sources = c_sources(bundle, prefix)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HdError(f"the folder {out} cannot be made ({error.strerror}); choose another --out") from error
    for name, text in sources.items():
        write_whole(out / name, text.encode())
        lines.append(f"{out / name}: {len(text)} bytes")
    return [*lines, f"try it: cd {shlex.quote(str(out))} && gcc -std=c99 -O2 -Wall -Wextra -Werror {prefix}.c "
                    f"{prefix}_example.c -lm -o example && ./example"]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="export_policy", description=__doc__,
        epilog="example: ros2 run hd_controller export_policy quadruped --format c --out quadruped_c")
    parser.add_argument("robot", help="shipped robot's name, URDF or MJCF file, or policy bundle (.npz)")
    parser.add_argument("--format", required=True, choices=["onnx", "c", "npz"], help="what to write")
    parser.add_argument("--out", type=Path, help="file, or folder for C (default: the robot's name)")
    parser.add_argument("--generator", default="default", help="a shipped generator or the folder of a bundle")
    parser.add_argument("--prefix", default=DEFAULT_PREFIX, help="of all names in the C source (%(default)s)")
    return parser.parse_args(arguments)


@mannered
def main(arguments: list[str] | None = None) -> int:
    """Export and say what was written; 0, or 1 with one sentence."""
    options = parse(arguments)
    try:
        bundle = policy_of(options.robot, options.generator)
        name = bundle.morphology.name
        out = options.out or Path(f"{name}_c" if options.format == "c" else f"{name}.{options.format}")
        lines = export(bundle, options.format, out, options.prefix)
    except HdError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    if not bundle.in_distribution:
        print("warning: the robot lies outside the generator's trained range; nothing is known of how it moves",
              file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
