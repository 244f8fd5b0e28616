"""Proximal policy optimisation of the universal teacher over many robots at once.

Every minibatch holds the same number of samples of each robot, so that robots are balanced by construction and all
that depends on the body alone is computed once per robot and minibatch. Advantages are normalised per robot; the
critic predicts returns normalised by each robot's running mean and std, which also normalises rewards, since nothing
else sees their scale. N samples per robot in one iteration; other letters as in `teacher.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hd_controller.errors import HdError
from hd_training.engine import Engine
from hd_training.gae import generalised_advantages
from hd_training.moments import RunningMoments
from hd_training.presets import PpoConfig
from hd_training.teacher import Teacher

CONTEXT_PARTS = ("encoder.", "_head.", ".query.", ".key.", ".modulation.")


@dataclass
class Samples:
    """One iteration's samples, robots first."""

    observation: Tensor  # (R, N, L, F) normalised
    action: Tensor  # (R, N, L, A)
    log_probability: Tensor  # (R, N)
    advantage: Tensor  # (R, N), normalised per robot
    target: Tensor  # (R, N), normalised returns


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
    """Teacher, optimiser, statistics and engine of one training run."""

    def __init__(self, teacher: Teacher, engine: Engine, context: Tensor, config: PpoConfig, *, seed: int) -> None:
        self.teacher, self.engine, self.config, self.context = teacher, engine, config, context
        self.valid, self.slots = torch.as_tensor(engine.valid), torch.as_tensor(engine.slots)
        self.optimizer = _optimizer(teacher, config)
        self.moments = RunningMoments(engine.observation.shape[-1])
        self.moments.update(self._valid_rows(torch.as_tensor(engine.observation)).numpy())
        self.scale = ReturnScale(len(self.valid), config.value_momentum)
        self.generator = torch.Generator().manual_seed(seed)
        self.steps, self.iterations, self.rate = 0, 0, config.learning_rate

    def _valid_rows(self, observation: Tensor) -> Tensor:
        """Rows (n, F) of limbs that exist, from (R, E, L, F)."""
        return observation.transpose(1, 2)[self.valid].flatten(0, -2)

    def normalised(self, observation: Tensor) -> Tensor:
        """Normalised observation with padding at zero."""
        return self.moments.normalise(observation) * self.valid[:, None, :, None]

    @torch.no_grad()
    def rollout(self) -> tuple[Samples, list[tuple[int, float, int, bool]]]:
        """Simulate one horizon with sampled actions; the samples and the episodes that ended."""
        config, engine, teacher = self.config, self.engine, self.teacher
        actor = teacher.actor.generate(self.context, self.valid)
        critic = teacher.critic.generate(self.context, self.valid)
        std = actor.log_std.exp().unsqueeze(1)
        names = ("raw", "observation", "action", "logp", "value", "reward", "ended")
        rows: dict[str, list[Tensor]] = {name: [] for name in names}
        episodes, last = [], []
        for step in range(config.horizon):
            raw = torch.from_numpy(engine.observation.copy())
            observation = self.normalised(raw)
            mean = teacher.actor(actor, observation)
            action = mean + std * torch.randn(mean.shape, generator=self.generator)
            result = engine.step(action.numpy())
            episodes += result.episodes
            last += [(step, *entry) for entry in result.last_observations]
            values = (
                raw, observation, action, log_probability(action, mean, actor.log_std, self.slots),
                teacher.critic(critic, observation), torch.from_numpy(result.reward).float(),
                torch.from_numpy(result.ended),
            )  # fmt: skip
            for name, value in zip(rows, values, strict=True):
                rows[name].append(value)
        stacked = {name: torch.stack(values) for name, values in rows.items()}
        bootstrap = teacher.critic(critic, self.normalised(torch.from_numpy(engine.observation)))
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
            values.append((step, robot, environment, self.teacher.critic(critic, self.normalised(padded))[robot, 0]))
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
        target = (returns - self.scale.mean[:, None]) / self.scale.std[:, None]
        flat = [_robots_first(x) for x in (rows["observation"], rows["action"], rows["logp"], advantages, target)]
        advantage = flat[3]
        flat[3] = (advantage - advantage.mean(1, keepdim=True)) / (advantage.std(1, keepdim=True) + 1e-5)
        return Samples(*flat)

    def update(self, samples: Samples) -> dict[str, float]:
        """Epochs of minibatches until the KL limit; mean losses. HdError where the loss is not finite."""
        robots, count = samples.advantage.shape
        rows = torch.arange(robots).unsqueeze(1)
        sums = {"policy_loss": 0.0, "value_loss": 0.0, "kl": 0.0}
        updates = 0
        for _ in range(self.config.epochs):
            order = torch.rand(robots, count, generator=self.generator).argsort(1)
            for columns in order.split(self.config.minibatch, dim=1):
                losses = self._losses(Samples(*(x[rows, columns] for x in vars(samples).values())))
                if losses["kl"].item() > self.config.kl_limit:
                    return self._finish(sums, updates)
                self._descend(losses)
                for name in sums:
                    sums[name] += losses[name].item()
                updates += 1
        return self._finish(sums, updates)

    def _finish(self, sums: dict[str, float], updates: int) -> dict[str, float]:
        """Mean losses of an iteration; adapts the learning rate to keep the mean KL divergence near its target."""
        means = {name: value / max(updates, 1) for name, value in sums.items()}
        planned = self.config.epochs * -(-self.config.horizon * self.engine.environments // self.config.minibatch)
        if updates < planned // 2 or means["kl"] > 1.5 * self.config.kl_target:
            self.rate = max(self.rate / 1.2, self.config.smallest_rate)
        elif means["kl"] < self.config.kl_target / 1.5:
            self.rate = min(self.rate * 1.2, self.config.largest_rate)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * group["factor"]
        return means | {"updates": updates, "rate": self.rate}

    def _losses(self, batch: Samples) -> dict[str, Tensor]:
        """Clipped surrogate, value error and an unbiased KL estimate of one minibatch (R, S)."""
        config, teacher = self.config, self.teacher
        weights = teacher.actor.generate(self.context, self.valid)
        mean = teacher.actor(weights, batch.observation)
        value = teacher.critic(teacher.critic.generate(self.context, self.valid), batch.observation)
        log_ratio = log_probability(batch.action, mean, weights.log_std, self.slots) - batch.log_probability
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        surrogate = torch.minimum(ratio * batch.advantage, clipped * batch.advantage)
        value_loss = 0.5 * ((value - batch.target) ** 2).mean()
        return {
            "policy_loss": -surrogate.mean(),
            "value_loss": value_loss,
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
        loss.backward()
        nn.utils.clip_grad_norm_(self.teacher.parameters(), self.config.gradient_norm)
        self.optimizer.step()


def _optimizer(teacher: Teacher, config: PpoConfig) -> torch.optim.Adam:
    """Adam with a smaller rate for all that acts through context.

    Adam moves every entry of a matrix that generates weights by the same amount, so one step moves a generated weight
    by about the context width times as much as a step on an ordinary weight.
    """
    groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
    for name, parameter in teacher.named_parameters():
        groups[any(part in name for part in CONTEXT_PARTS)].append(parameter)
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
