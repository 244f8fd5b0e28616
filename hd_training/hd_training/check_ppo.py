"""Command `check_ppo`: this project's PPO on Gymnasium's HalfCheetah, beside published returns at equal step counts.

The learner is the one that trains the teacher; only engine and network differ: one robot, the single-robot MLP with a
learned std of actions. The reference is Tianshou's benchmark of PPO on HalfCheetah-v3 (ten seeds, mean actions), file
examples/mujoco/benchmark/HalfCheetah-v3/ppo/test_rew_10seeds.csv of github.com/thu-ml/tianshou, whose settings
(2048 steps an iteration, minibatches of 64, 10 epochs, rate 3e-4 falling to 0 in 3 million steps) are used where ours
has the same knob; docs/results.md lists what differs. The task is the same in v3 and v5; the simulator is newer.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from hd_controller.errors import HdError
from hd_training.actor_critic import ActorCritic
from hd_training.argument_types import natural, positive
from hd_training.gymnasium_engine import GymnasiumEngine
from hd_training.limb_mlp import SingleRobotMlp
from hd_training.ppo import PpoLearner
from hd_training.presets import PpoConfig

ENVIRONMENT = "HalfCheetah-v5"
REFERENCE = {
    30_720: (12, 55), 61_440: (346, 140), 122_880: (1371, 467), 184_320: (2466, 727), 245_760: (3256, 792),
    307_200: (3927, 996), 614_400: (5292, 1196), 1_013_760: (5650, 1226),
}  # fmt: skip
"""Environment steps: mean and std over ten seeds of the reference's return of mean actions."""
CONFIG = PpoConfig(
    minutes=float("inf"), environments=64, horizon=32, minibatch=64, epochs=10, learning_rate=3e-4,
    rate_schedule="cosine", warmup_iterations=0, max_steps=3_000_000, kl_limit=float("inf"),
)  # fmt: skip
"""The rate falls to 0 at 3 million steps whatever the number of steps run, as the reference's."""
TEST_EPISODES = 10


def learner(seed: int, config: PpoConfig = CONFIG) -> PpoLearner:
    """A fresh single-robot learner on the environment."""
    torch.manual_seed(seed)
    engine = GymnasiumEngine(ENVIRONMENT, environments=config.environments, seed=seed)
    observation, actions = engine.observation.shape[-1], engine.slots.shape[-1]
    policy, value = (SingleRobotMlp(observation_size=observation, outputs=n, limbs=1) for n in (actions, 1))
    network = ActorCritic(policy, value, std=0.6, actions=actions, learned_std=True)
    return PpoLearner(network, engine, torch.zeros(1, 1, 0), config, seed=seed)


@torch.no_grad()
def mean_action_returns(trained: PpoLearner, seed: int, episodes: int = TEST_EPISODES) -> np.ndarray:
    """Returns (episodes,) of mean actions."""
    engine = GymnasiumEngine(ENVIRONMENT, environments=episodes, seed=10_000 + seed)
    actor = trained.teacher.actor
    weights, returns = actor.generate(trained.context, trained.valid), []
    while len(returns) < episodes:
        action = actor(weights, trained.normalised(torch.from_numpy(engine.observation)))
        returns += [total for _, total, _, _ in engine.step(action.numpy()).episodes]
    engine.close()
    return np.array(returns)


def check(steps: int, seed: int, config: PpoConfig = CONFIG) -> list[dict]:
    """Train and test at the reference's step counts (and at the end); prints a row for each."""
    trained, rows, begin = learner(seed, config), [], time.perf_counter()
    marks = [mark for mark in REFERENCE if mark < steps] + [steps]
    print("| steps | return, mean actions | published mean and std | recent sampled returns | minutes |")
    print("|---" * 5 + "|", flush=True)
    recent: list[float] = []
    while marks:
        samples, episodes = trained.rollout()
        trained.update(samples)
        trained.iterations += 1
        recent = (recent + [total for _, total, _, _ in episodes])[-20:]
        if trained.steps < marks[0]:
            continue
        returns = mean_action_returns(trained, seed)
        row = {
            "steps": trained.steps, "return": round(float(returns.mean()), 1), "std": round(float(returns.std()), 1),
            "published": REFERENCE.get(marks.pop(0)), "sampled": round(float(np.mean(recent or [np.nan])), 1),
            "minutes": round((time.perf_counter() - begin) / 60, 2),
        }  # fmt: skip
        rows.append(row)
        published = "" if row["published"] is None else "{} +- {}".format(*row["published"])
        cells = [row["steps"], f"{row['return']:.0f}", published, f"{row['sampled']:.0f}", row["minutes"]]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    trained.engine.close()
    return rows


def main(argv: list[str] | None = None) -> int:
    """Run the check."""
    parser = argparse.ArgumentParser(
        description="Train this project's PPO on Gymnasium's HalfCheetah and print returns beside published ones.",
        epilog="example: check_ppo --steps 307200 --seed 0",
    )
    parser.add_argument("--steps", type=positive, default=307_200, help="environment steps (default 307200)")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--threads", type=positive, default=1, help="torch threads; the networks are small (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    try:
        rows = check(arguments.steps, arguments.seed)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps({"seed": arguments.seed, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
