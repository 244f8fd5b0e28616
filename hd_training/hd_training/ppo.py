"""Proximal policy optimisation of the universal teacher over many robots at once.

Every minibatch holds the same number of samples of each robot, so that robots are balanced by construction and all
that depends on the body alone is computed once per robot and minibatch. By default advantages are normalised per
robot; the critic predicts returns normalised by each robot's running mean and std, which also normalises rewards, since
nothing else sees their scale. N samples per robot in one iteration; other letters as in `teacher.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.profiler import record_function

from hd_controller.errors import HdError
from hd_training.engine import Engine
from hd_training.gae import generalised_advantages
from hd_training.learning_rate import adapted_rate, cosine_rate
from hd_training.moments import RunningMoments
from hd_training.placement import Placement
from hd_training.presets import PpoConfig

ON_CPU = Placement()
SECTION = "ppo: "
"""How the names of timed parts of an iteration begin; `profile_learner` looks for them."""


def section(name: str) -> record_function:
    """A part of an iteration as torch's profiler sees it."""
    return record_function(SECTION + name)


@dataclass
class Samples:
    """One iteration's samples, robots first."""

    observation: Tensor  # (R, N, L, F) normalised
    action: Tensor  # (R, N, L, A)
    log_probability: Tensor  # (R, N)
    advantage: Tensor  # (R, N), normalised
    target: Tensor  # (R, N), normalised returns
    value: Tensor  # (R, N), what the critic predicted, in the target's scale


def log_probability(action: Tensor, mean: Tensor, log_std: Tensor, slots: Tensor) -> Tensor:
    """Log density (R, S) of actions (R, S, L, A) summed over existing joint slots; log_std, slots (R, L, A)."""
    log_std = log_std.unsqueeze(1)
    terms = -0.5 * ((action - mean) * torch.exp(-log_std)) ** 2 - log_std - 0.5 * math.log(2 * math.pi)
    return (terms * slots.unsqueeze(1)).sum((-1, -2))


class ReturnScale:
    """Running mean and std of each robot's returns, (R,)."""

    def __init__(self, robots: int, momentum: float) -> None:
        self.mean, self.square = torch.zeros(robots), torch.ones(robots)
        self.momentum, self.updates = momentum, 0

    @property
    def std(self) -> Tensor:
        """Standard deviation (R,), at least 0.05."""
        return (self.square - self.mean**2).clamp(min=0.0025).sqrt()

    def update(self, returns: Tensor) -> None:
        """Take in returns (T, R, E)."""
        rate = max(self.momentum, 1 / (self.updates + 1))
        self.mean = self.mean + rate * (returns.mean((0, 2)) - self.mean)
        self.square = self.square + rate * ((returns**2).mean((0, 2)) - self.square)
        self.updates += 1


class PpoLearner:
    """Networks, optimiser, statistics and engine of one training run.

    Args:
        teacher: actor and critic, with the parts of parameter names in `context_parts` that act through context.
        engine: R robots x E environments, or anything with the same observation, valid, slots, environments and step.
        context: (R, L, C) normalised.
        context_scale: mean and std (C,) that it was normalised with, kept for checkpoints.
    """

    def __init__(
        self, teacher: nn.Module, engine: Engine, context: Tensor, config: PpoConfig, *, seed: int,
        placement: Placement = ON_CPU, context_scale: tuple | None = None,
    ) -> None:  # fmt: skip
        device = placement.device
        self.teacher, self.engine, self.config, self.placement = teacher.to(device), engine, config, placement
        self.context, self.context_scale = context.to(device), context_scale
        self.valid, self.slots = torch.as_tensor(engine.valid), torch.as_tensor(engine.slots).to(device)
        self.valid_there = self.valid.to(device)
        self.optimizer = _optimizer(teacher, config)
        self.moments = RunningMoments(engine.observation.shape[-1])
        self.moments.update(self._valid_rows(torch.as_tensor(engine.observation)).numpy())
        self.scale = ReturnScale(len(self.valid), config.value_momentum)
        self.generator = torch.Generator().manual_seed(seed)
        self.steps, self.iterations, self.rate = 0, 0, config.learning_rate
        self.samples = len(self.valid) * engine.environments * config.horizon
        self.action_std = float("nan")
        self.origin = ""
        """Where the weights came from before this run, in words; empty where it began with fresh ones."""
        if config.rate_schedule == "cosine":
            self.set_rate(cosine_rate(config, 0, self.samples))
        self._predict = placement.compile(self._predictions)

    def _valid_rows(self, observation: Tensor) -> Tensor:
        """Rows (n, F) of limbs that exist, from (R, E, L, F)."""
        return observation.transpose(1, 2)[self.valid].flatten(0, -2)

    def normalised(self, observation: Tensor) -> Tensor:
        """Normalised observation with padding at zero."""
        return self.moments.normalise(observation) * self.valid_there[:, None, :, None]

    def _generated(self) -> tuple:
        """What actor and critic generate for the robots' bodies."""
        teacher, context, valid = self.teacher, self.context, self.valid_there
        with self.placement.precision():
            return teacher.actor.generate(context, valid), teacher.critic.generate(context, valid)

    def _apply(self, network: nn.Module, weights, observation: Tensor) -> Tensor:
        """Call actor or critic on normalised observations, in training's precision; float32."""
        with self.placement.precision():
            return network(weights, observation).float()

    def _predictions(self, observation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean actions (R, S, L, A), log std (R, L, A) and values (R, S) with the present parameters."""
        actor, critic = self._generated()
        mean = self._apply(self.teacher.actor, actor, observation)
        return mean, actor.log_std.float(), self._apply(self.teacher.critic, critic, observation)

    @torch.no_grad()
    def rollout(self) -> tuple[Samples, list[tuple[int, float, int, bool]]]:
        """Simulate one horizon with sampled actions; the samples and the episodes that ended."""
        engine, teacher, device = self.engine, self.teacher, self.placement.device
        actor, critic = self._generated()
        log_std = actor.log_std.float()
        std = log_std.exp().unsqueeze(1)
        self.action_std = float(log_std.exp()[self.slots].mean())
        names = ("raw", "observation", "action", "logp", "value", "reward", "ended")
        rows: dict[str, list[Tensor]] = {name: [] for name in names}
        episodes, last = [], []
        for step in range(self.config.horizon):
            raw = torch.from_numpy(engine.observation.copy())
            observation = self.normalised(raw.to(device))
            with section("act: actor in the rollout"):
                mean = self._apply(teacher.actor, actor, observation)
            action = mean + std * torch.randn(mean.shape, generator=self.generator).to(device)
            with section("simulate"):
                result = engine.step(action.cpu().numpy())
            episodes += result.episodes
            last += [(step, *entry) for entry in result.last_observations]
            with section("value: critic in the rollout"):
                value = self._apply(teacher.critic, critic, observation).cpu()
            values = (
                raw, observation, action, log_probability(action, mean, log_std, self.slots), value,
                torch.from_numpy(result.reward).float(), torch.from_numpy(result.ended),
            )  # fmt: skip
            for name, value in zip(rows, values, strict=True):
                rows[name].append(value)
        with section("advantages and statistics"):
            stacked = {name: torch.stack(values) for name, values in rows.items()}
            following = self.normalised(torch.from_numpy(engine.observation).to(device))
            bootstrap = self._apply(teacher.critic, critic, following).cpu()
            samples = self._samples(stacked, bootstrap, self._last_values(critic, last))
            self.moments.update(self._valid_rows(stacked.pop("raw").transpose(0, 1).flatten(1, 2)).numpy())
        self.steps += stacked["reward"].numel()
        return samples, episodes

    def _last_values(self, critic, last: list) -> list[tuple[int, int, int, Tensor]]:
        """Normalised values of the states at which time limits struck: step, robot, environment, value."""
        values = []
        for step, robot, environment, observation in last:
            padded = torch.zeros(self.valid.shape[0], 1, *observation.shape)
            padded[robot, 0] = torch.from_numpy(observation)
            seen = self.normalised(padded.to(self.placement.device))
            value = self._apply(self.teacher.critic, critic, seen)[robot, 0].cpu()
            values.append((step, robot, environment, value))
        return values

    def _samples(self, rows: dict[str, Tensor], bootstrap: Tensor, last: list) -> Samples:
        """Advantages and targets from stacked rows (T, R, E, ...)."""
        mean, std = self.scale.mean[:, None], self.scale.std[:, None]
        values = rows["value"] * std + mean
        following = torch.cat([values[1:], (bootstrap * std + mean).unsqueeze(0)])
        following = following * ~rows["ended"]
        for step, robot, environment, value in last:
            following[step, robot, environment] = value * std[robot, 0] + mean[robot, 0]
        advantages = generalised_advantages(
            rows["reward"], values, following, rows["ended"],
            gamma=self.config.gamma, gae_lambda=self.config.gae_lambda,
        )  # fmt: skip
        returns = advantages + values
        self.scale.update(returns)
        mean, std = self.scale.mean[:, None], self.scale.std[:, None]
        advantage = _robots_first(advantages)
        over = 1 if self.config.advantage_per_robot else (0, 1)
        advantage = (advantage - advantage.mean(over, keepdim=True)) / (advantage.std(over, keepdim=True) + 1e-5)
        there = [_robots_first(rows[name]) for name in ("observation", "action", "logp")]
        here = [advantage, _robots_first((returns - mean) / std), _robots_first((values - mean) / std)]
        return Samples(*there, *(x.to(self.placement.device) for x in here))

    def update(self, samples: Samples) -> dict[str, float]:
        """Epochs of minibatches until the KL limit; mean losses. HdError where the loss is not finite."""
        robots, count = samples.advantage.shape
        rows = torch.arange(robots, device=self.placement.device).unsqueeze(1)
        sums = {"policy_loss": 0.0, "value_loss": 0.0, "kl": 0.0}
        updates = 0
        for _ in range(self.config.epochs):
            order = torch.rand(robots, count, generator=self.generator).argsort(1).to(self.placement.device)
            for columns in order.split(self.config.minibatch, dim=1):
                with section("minibatch: choose samples"):
                    batch = Samples(*(x[rows, columns] for x in vars(samples).values()))
                with section("losses, forward"):
                    losses = self._losses(batch)
                if losses["kl"].item() > self.config.kl_limit:
                    return self._finish(sums, updates)
                self._descend(losses)
                for name in sums:
                    sums[name] += losses[name].item()
                updates += 1
        return self._finish(sums, updates)

    def _finish(self, sums: dict[str, float], updates: int) -> dict[str, float]:
        """Mean losses of an iteration; sets the next learning rate."""
        means = {name: value / max(updates, 1) for name, value in sums.items()}
        config = self.config
        if config.rate_schedule == "cosine":
            self.set_rate(cosine_rate(config, self.iterations + 1, self.samples))
        else:
            planned = config.epochs * -(-config.horizon * self.engine.environments // config.minibatch)
            self.set_rate(adapted_rate(config, self.rate, means["kl"], updates, planned))
        return means | {"updates": updates, "rate": self.rate}

    def set_rate(self, rate: float) -> None:
        """Learning rate of the next updates; parameters that act through context get their share of it."""
        self.rate = rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]

    def _losses(self, batch: Samples) -> dict[str, Tensor]:
        """Clipped surrogate, value error and an unbiased KL estimate of one minibatch (R, S)."""
        config = self.config
        mean, log_std, value = self._predict(batch.observation)
        log_ratio = log_probability(batch.action, mean, log_std, self.slots) - batch.log_probability
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        surrogate = torch.minimum(ratio * batch.advantage, clipped * batch.advantage)
        error = (value - batch.target) ** 2
        if config.value_clip is not None:
            near = batch.value + (value - batch.value).clamp(-config.value_clip, config.value_clip)
            error = torch.maximum(error, (near - batch.target) ** 2)
        return {
            "policy_loss": -surrogate.mean(),
            "value_loss": 0.5 * error.mean(),
            "kl": (ratio - 1 - log_ratio).mean().detach(),
        }

    def _descend(self, losses: dict[str, Tensor]) -> None:
        loss = losses["policy_loss"] + self.config.value_coefficient * losses["value_loss"]
        if not torch.isfinite(loss):
            raise HdError(
                f"training loss is {loss.item()} at iteration {self.iterations}; the last checkpoint is kept: "
                "resume from it with a lower learning rate"
            )
        self.optimizer.zero_grad(set_to_none=True)
        with section("backward"):
            loss.backward()
        with section("gradient norm and Adam"):
            nn.utils.clip_grad_norm_(self.teacher.parameters(), self.config.gradient_norm)
            self.optimizer.step()


def _optimizer(teacher: nn.Module, config: PpoConfig) -> torch.optim.Adam:
    """Adam with a smaller rate for all that acts through context.

    Adam moves every entry of a matrix that generates weights by the same amount, so one step moves a generated weight
    by about the context width times as much as a step on an ordinary weight.
    """
    groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
    for name, parameter in teacher.named_parameters():
        groups[any(part in name for part in teacher.context_parts)].append(parameter)
    return torch.optim.Adam(
        [
            {"params": groups[False], "lr": config.learning_rate, "factor": 1.0},
            {"params": groups[True], "lr": config.learning_rate * config.context_rate, "factor": config.context_rate},
        ],
        eps=1e-5,
    )


def _robots_first(values: Tensor) -> Tensor:
    """(T, R, E, ...) to (R, T*E, ...)."""
    return values.transpose(0, 1).flatten(1, 2).contiguous()
