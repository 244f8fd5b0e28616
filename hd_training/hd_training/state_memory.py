"""States that robots were in and what their experts would do there, for cloning (`clone_experts`)."""

from __future__ import annotations

import torch
from torch import Tensor

from hd_training.engine import Engine


class StateMemory:
    """States of R robots and what their experts would do there: the newest `capacity` per robot."""

    def __init__(self, robots: int, capacity: int, limbs: int, features: int, slots: int) -> None:
        self.observation = torch.zeros(robots, capacity, limbs, features)  # raw
        self.action = torch.zeros(robots, capacity, limbs, slots)
        self.filled, self._next = 0, 0

    def add(self, observation: Tensor, action: Tensor) -> None:
        """Take in states (R, S, L, F) and actions (R, S, L, A), in place of the oldest."""
        capacity = self.observation.shape[1]
        places = (self._next + torch.arange(observation.shape[1])) % capacity
        self.observation[:, places], self.action[:, places] = observation, action
        self._next = (self._next + observation.shape[1]) % capacity
        self.filled = min(self.filled + observation.shape[1], capacity)

    def draw(self, samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random states and actions, `samples` of each robot."""
        robots = torch.arange(len(self.observation)).unsqueeze(1)
        columns = torch.randint(self.filled, (len(robots), samples), generator=generator)
        return self.observation[robots, columns], self.action[robots, columns]


class WatchedEngine:
    """An engine that notes the raw observations on which actions are taken."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.seen: list[Tensor] = []

    def __getattr__(self, name: str):
        """Everything else is the engine's."""
        return getattr(self._engine, name)

    def step(self, actions):
        """As the engine's."""
        self.seen.append(torch.from_numpy(self._engine.observation.copy()))
        return self._engine.step(actions)

    def take_seen(self) -> Tensor:
        """The states (R, T*E, L, F) noted since the last call."""
        stacked = torch.stack(self.seen).transpose(0, 1).flatten(1, 2)
        self.seen = []
        return stacked
