"""Command `clone_experts`: start the universal teacher from experts, by behaviour cloning with student-driven states.

First the experts act (with noise) and the student learns their mean actions on the states they visit. Then the student
acts, the experts say what they would do in its states (DAgger: Ross et al., 2011), and the student goes on learning on
old and new states together; its critic learns the returns of its own actions. The checkpoint is an ordinary one of
`train_teacher`, which continues it with PPO on all robots.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.argument_types import positive, positive_number
from hd_training.checkpoint import make_run_folder, save_checkpoint
from hd_training.expert_set import ExpertSet
from hd_training.learner_state import CHECKPOINT, learner_state
from hd_training.ppo import PpoLearner, Samples
from hd_training.presets import PRESETS, CloneConfig, Preset
from hd_training.robot_set import read_robots
from hd_training.state_memory import StateMemory, WatchedEngine
from hd_training.stop_request import StopRequest
from hd_training.train_teacher import start
from hd_training.training_log import TrainingLog

EXAMPLES = """examples:
  clone_experts --robots hd_training/robots/train --experts runs/experts --out runs/teacher --minutes 30
  train_teacher --robots hd_training/robots/train --out runs/teacher --resume --minutes 90   go on with PPO"""


@dataclass
class Clone:
    """The student (a learner of PPO), its experts, and the states it learns on."""

    learner: PpoLearner
    experts: ExpertSet
    config: CloneConfig
    memories: list[StateMemory]  # the experts' states, the student's states
    optimizer: torch.optim.Optimizer
    updates: int = 0

    @staticmethod
    def start(learner: PpoLearner, experts: ExpertSet, config: CloneConfig) -> Clone:
        """A fresh clone around a fresh learner."""
        shape = learner.engine.observation.shape
        sizes = (config.memory, shape[2], shape[3], learner.engine.slots.shape[-1])
        learner.engine = WatchedEngine(learner.engine)
        groups = learner.optimizer.param_groups
        factors = (1.0, config.context_rate)
        optimizer = torch.optim.Adam(
            [{"params": group["params"], "factor": factor} for group, factor in zip(groups, factors, strict=True)],
            lr=config.learning_rate, eps=1e-5,
        )  # fmt: skip
        return Clone(learner, experts, config, [StateMemory(shape[0], *sizes) for _ in range(2)], optimizer)

    def watch_experts(self) -> None:
        """Fill the first memory with the experts' own states, under noise, and learn the observations' moments."""
        learner, memory = self.learner, self.memories[0]
        engine, generator = learner.engine, learner.generator
        std = self.experts.log_std.exp() * self.config.expert_noise
        rounds = -(-memory.observation.shape[1] // engine.environments)
        for _ in tqdm(range(rounds), desc="experts' states", unit="step", mininterval=5):
            raw = torch.from_numpy(engine.observation.copy())
            mean = self.experts.mean_actions(raw)
            memory.add(raw, mean.clamp(-1, 1))
            engine.step((mean + std * torch.randn(mean.shape, generator=generator)).numpy())
        engine.seen = []
        rows = memory.observation.transpose(1, 2)[learner.valid].flatten(0, -2)
        learner.moments.update(rows[:: max(1, len(rows) // 2_000_000)].numpy())
        learner.steps += rounds * engine.environments * len(learner.valid)

    def act(self) -> tuple[Samples, list]:
        """One horizon of the student's own actions, labelled by the experts, into the second memory."""
        samples, episodes = self.learner.rollout()
        raw = self.learner.engine.take_seen()
        self.memories[1].add(raw, self.experts.mean_actions(raw).clamp(-1, 1))
        return samples, episodes

    def learn(self, progress: float, updates: int) -> float:
        """Gradient steps of the actor on states of both memories; mean error. `progress` 0..1 sets the rate."""
        learner, total = self.learner, 0.0
        self._set_rate(progress)
        filled = [memory for memory in self.memories if memory.filled]
        for _ in range(updates):
            drawn = [memory.draw(self.config.minibatch // len(filled), learner.generator) for memory in filled]
            observation = torch.cat([item[0] for item in drawn], dim=1)
            action = torch.cat([item[1] for item in drawn], dim=1)
            loss, error = self._loss(learner.normalised(observation), action)
            self._descend(loss)
            total += error.item()
        return total / max(updates, 1)

    def learn_values(self, samples: Samples, epochs: int) -> float:
        """Passes of the critic over one horizon's samples; mean error."""
        learner, critic, total, count = self.learner, self.learner.teacher.critic, 0.0, 0
        for _ in range(epochs):
            order = torch.rand(samples.target.shape, generator=learner.generator).argsort(1)
            for columns in order.split(self.config.minibatch, dim=1):
                rows = torch.arange(len(order)).unsqueeze(1)
                weights = critic.generate(learner.context, learner.valid_there)
                value = critic(weights, samples.observation[rows, columns])
                error = ((value - samples.target[rows, columns]) ** 2).mean()
                self._descend(error)
                total, count = total + error.item(), count + 1
        return total / max(count, 1)

    def _loss(self, observation: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """KL-like loss of means in units of the experts' std, plus that of the std; mean squared error of means.

        Every robot counts the same whatever its joints; experts' actions count as clipped, as the simulator clips them.
        """
        learner, slots = self.learner, self.learner.slots
        weights = learner.teacher.actor.generate(learner.context, learner.valid_there)
        mean = learner.teacher.actor(weights, observation)
        joints = slots.sum((-1, -2))
        error = (mean - action) ** 2 * slots.unsqueeze(1)
        scaled = 0.5 * error * torch.exp(-2 * self.experts.log_std)
        std = (weights.log_std - self.experts.log_std.squeeze(1)) ** 2 * slots
        loss = (scaled.sum((-1, -2)).mean(1) / joints).mean() + (std.sum((-1, -2)) / joints).mean()
        return loss, (error.sum((-1, -2)).mean(1) / joints).mean().detach()

    def _descend(self, loss: Tensor) -> None:
        if not torch.isfinite(loss):
            raise HdError(f"cloning loss is {loss.item()} after {self.updates} updates; use a lower learning rate")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.learner.teacher.parameters(), self.config.gradient_norm)
        self.optimizer.step()
        self.updates += 1

    def _set_rate(self, progress: float) -> None:
        """Cosine from the config's rate to a twentieth of it."""
        rate = self.config.learning_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]


def clone_experts(
    robots: list[Morphology], preset: Preset, experts: ExpertSet, out: Path, *, resume: bool = False,
    init: Path | None = None,
) -> Path:  # fmt: skip
    """Clone until the preset's minutes are spent; returns the path of the checkpoint.

    A resumed run keeps the student and its clock, gathers states anew and starts a fresh optimiser. `init` is a
    checkpoint or archive whose weights a new run starts from. Ctrl-C saves after the round at work, then raises
    KeyboardInterrupt.
    """
    make_run_folder(out)
    path, config = out / CHECKPOINT, preset.clone
    learner, seconds = start(robots, preset, path, resume=resume, init=init)
    learner.set_rate(config.ppo_rate)
    clone, log = Clone.start(learner, experts, config), TrainingLog(out, robots, learner.iterations)
    learner.origin = learner.origin if resume else _origin(learner.origin, experts, len(robots))
    clone.watch_experts()
    saved, total = seconds, config.minutes * 60
    bar = tqdm(total=round(total), initial=round(seconds), unit="s", desc="clone", mininterval=5)
    with StopRequest() as stop, bar:
        while seconds < total and not stop.asked:
            begin, before = time.perf_counter(), learner.steps
            shown = _round(clone, log, seconds / total, seconds)
            seconds += time.perf_counter() - begin
            bar.set_postfix(shown | {"steps/s": f"{(learner.steps - before) / (time.perf_counter() - begin):.0f}"})
            bar.update(min(round(seconds), bar.total) - bar.n)
            if seconds - saved > preset.ppo.checkpoint_minutes * 60:
                save_checkpoint(path, learner_state(learner, robots, preset, seconds))
                saved = seconds
        save_checkpoint(path, learner_state(learner, robots, preset, seconds))
    log.close()
    learner.engine.close()
    stop.finish()
    return path


def _origin(before: str, experts: ExpertSet, robots: int) -> str:
    cloned = f"clone of {robots} experts that were trained for {experts.steps} steps together"
    return f"{cloned}, from {before}" if before else cloned


def _round(clone: Clone, log: TrainingLog, progress: float, seconds: float) -> dict:
    """One round of cloning; returns what the progress line shows."""
    config, learner = clone.config, clone.learner
    if progress < config.first_share:
        return {"error": f"{clone.learn(progress, config.updates):.4f}", "updates": clone.updates}
    samples, episodes = clone.act()
    error = clone.learn(progress, config.updates)
    value = clone.learn_values(samples, config.value_epochs)
    learner.iterations += 1
    rate = clone.optimizer.param_groups[0]["lr"]
    losses = {"policy_loss": error, "value_loss": value, "kl": 0.0, "updates": clone.updates, "rate": rate}
    logged = log.write(learner, episodes, losses, seconds, float("nan"))
    shown = {name: logged[name] for name in ("return", "median", "steps")}
    return {"error": f"{error:.4f}", "value": f"{value:.3f}"} | shown


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    result = argparse.ArgumentParser(
        prog="clone_experts", description="Teach the universal teacher what each robot's expert does.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    result.add_argument("--preset", choices=sorted(PRESETS), default="laptop", help="sizes of the teacher and amounts")
    result.add_argument("--robots", type=Path, nargs="+", required=True, help="robot files or folders (URDF, MJCF)")
    result.add_argument("--experts", type=Path, required=True, help="folder that train_experts wrote")
    result.add_argument("--out", type=Path, required=True, help="folder for checkpoint and log")
    result.add_argument("--minutes", type=positive_number, help="wall time [min] (default: the preset's)")
    result.add_argument("--environments", type=positive, help="environments per robot (default: the preset's)")
    result.add_argument(
        "--states", type=positive, help="states per robot in a gradient step (default: the preset's)"
    )
    begin = result.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    begin.add_argument("--init", type=Path, metavar="FILE", help="start from the weights of a checkpoint or archive")
    result.add_argument("--skip-invalid", action="store_true", help="leave robots out that cannot be read")
    return result


def chosen_preset(arguments: argparse.Namespace) -> Preset:
    """The preset with what the command line changes."""
    preset = PRESETS[arguments.preset]
    of_clone = {"minutes": arguments.minutes, "minibatch": arguments.states}
    clone = replace(preset.clone, **{name: value for name, value in of_clone.items() if value is not None})
    environments = arguments.environments or preset.ppo.environments
    return replace(preset, clone=clone, ppo=replace(preset.ppo, environments=environments))


def main(argv: list[str] | None = None) -> int:
    """Clone the experts of the robots of the given folders."""
    arguments = parser().parse_args(argv)
    preset = chosen_preset(arguments)
    try:
        robots = read_robots(arguments.robots, skip_invalid=arguments.skip_invalid)
        experts = ExpertSet.load(arguments.experts, robots)
        path = clone_experts(robots, preset, experts, arguments.out, resume=arguments.resume, init=arguments.init)
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"stopped; continue with --resume --out {arguments.out}")
        return 130
    print(f"teacher saved to {path}; train_teacher --resume goes on with PPO")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
