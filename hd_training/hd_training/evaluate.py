"""Command `evaluate`: returns per robot of teacher and generated student policy beside zero and random actions.

Every policy plays the same episodes (same robots, seeds and reset noise), deterministically: mean actions. The student
runs from the exported generator bundle, as on a robot. One episode's distance is its return times the control period,
since the reward is the forward speed.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hd_controller.context import context_features
from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_training.collect import TeacherPolicy
from hd_training.engine import Engine
from hd_training.learner_state import CHECKPOINT
from hd_training.presets import PRESETS, EvaluateConfig
from hd_training.robot_set import read_robots

EVALUATION_SEED = 10_000
BOOTSTRAP_DRAWS = 2000
Act = Callable[[np.ndarray], np.ndarray]
"""Raw observations (R, E, L, 17) to actions (R, E, L, 2)."""


def zero_policy(observation: np.ndarray) -> np.ndarray:
    """No effort."""
    return np.zeros((*observation.shape[:3], 2), np.float32)


def random_policy(seed: int) -> Act:
    """Actions uniform in [-1, 1], drawn anew at every step."""
    rng = np.random.default_rng(seed)
    return lambda observation: rng.uniform(-1, 1, (*observation.shape[:3], 2))


def generated_policy(bundle: GeneratorBundle, robots: list[Morphology]) -> Act:
    """The policies that a generator bundle writes for these robots, each applied to its batch of environments."""
    networks = [bundle.layers(context_features(robot)) for robot in robots]
    mean, std, clip = bundle.observation_mean, bundle.observation_std, bundle.observation_clip

    def act(observation: np.ndarray) -> np.ndarray:
        actions = np.zeros((*observation.shape[:3], 2), np.float32)
        for index, (robot, layers) in enumerate(zip(robots, networks, strict=True)):
            limbs = len(robot.limbs)
            rows = ((observation[index, :, :limbs] - mean) / std).clip(-clip, clip).astype(np.float32)
            values = rows.reshape(len(rows), -1)
            for weight, bias in layers[:-1]:
                values = np.maximum(values @ weight + bias, 0.0)
            values = values @ layers[-1][0] + layers[-1][1]
            actions[index, :, :limbs] = values.reshape(len(rows), limbs, 2)
        return actions

    return act


def episode_returns(robots: list[Morphology], act: Act, config: EvaluateConfig, *, workers: int) -> np.ndarray:
    """Return (R, episodes) of the first episode of each environment."""
    engine = Engine(
        robots, environments=config.episodes, seed=EVALUATION_SEED, workers=workers, episode_steps=config.steps
    )
    total = np.zeros((len(robots), config.episodes))
    running = np.ones(total.shape, bool)
    while running.any():
        result = engine.step(act(engine.observation))
        total += np.where(running, result.reward, 0.0)
        running &= ~result.ended
    engine.close()
    return total


def bootstrap_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of `values` (n,)."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(BOOTSTRAP_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def evaluate(robots: list[Morphology], policies: dict[str, Act], config: EvaluateConfig, *, workers: int) -> dict:
    """Returns and distances of every policy on every robot, with intervals, ready for JSON."""
    returns = {name: episode_returns(robots, act, config, workers=workers) for name, act in policies.items()}
    rows = {}
    for index, robot in enumerate(robots):
        rows[robot.name] = {"body_id": robot.body_id, "limbs": len(robot.limbs)} | {
            name: _figures(values[index]) for name, values in returns.items()
        }
    summary = {name: _figures(values.mean(axis=1)) for name, values in returns.items()}
    if "teacher" in summary and "student" in summary:
        summary["student_to_teacher"] = summary["student"]["return"] / summary["teacher"]["return"]
    settings = {"episodes": config.episodes, "steps": config.steps, "seed": EVALUATION_SEED}
    return settings | {"summary": summary, "robots": rows}


def _figures(values: np.ndarray) -> dict:
    return {
        "return": round(float(values.mean()), 2),
        "interval": [round(value, 2) for value in bootstrap_interval(values)],
        "distance_m": round(float(values.mean()) * CONTROL_PERIOD_S, 3),
    }


def table(result: dict) -> str:
    """Markdown table: return (and distance in metres) per robot and policy."""
    policies = [name for name in result["summary"] if isinstance(result["summary"][name], dict)]
    lines = ["| robot | limbs | " + " | ".join(policies) + " |", "|---" * (len(policies) + 2) + "|"]
    entries = [*result["robots"].items(), ("**mean**", {"limbs": "", **result["summary"]})]
    for robot, row in entries:
        cells = [f"{row[name]['return']:.0f} ({row[name]['distance_m']:.1f} m)" for name in policies]
        lines.append(f"| {robot} | {row['limbs']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_result(result: dict, folder: Path) -> None:
    """Write evaluation.json and evaluation.csv."""
    (folder / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    with open(folder / "evaluation.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["robot", "policy", "return", "low", "high", "distance_m"])
        for robot, row in result["robots"].items():
            for name, figures in row.items():
                if isinstance(figures, dict):
                    writer.writerow([robot, name, figures["return"], *figures["interval"], figures["distance_m"]])


def standard_policies(robots: list[Morphology], teacher: Path | None, generator: Path | None) -> dict[str, Act]:
    """Zero, random, and what exists of teacher and student."""
    policies: dict[str, Act] = {"zero": zero_policy, "random": random_policy(EVALUATION_SEED)}
    if teacher is not None and teacher.exists():
        policies["teacher"] = TeacherPolicy.load(teacher, robots).actor()
    if generator is not None and generator.exists():
        policies["student"] = generated_policy(GeneratorBundle.load(generator), robots)
    return policies


def main(argv: list[str] | None = None) -> int:
    """Evaluate teacher and student of a folder on robots, seen in training or not."""
    parser = argparse.ArgumentParser(description="Returns of teacher, student, zero and random actions per robot.")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="episodes and steps")
    parser.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders")
    parser.add_argument("--out", type=Path, required=True, help=f"folder with {CHECKPOINT} and/or generator/")
    arguments = parser.parse_args(argv)
    preset = PRESETS[arguments.preset]
    try:
        robots = read_robots(arguments.robots)
        policies = standard_policies(robots, arguments.out / CHECKPOINT, arguments.out / "generator")
        result = evaluate(robots, policies, preset.evaluate, workers=preset.workers)
    except HdError as error:
        print(f"error: {error}")
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_result(result, arguments.out)
    print(table(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
