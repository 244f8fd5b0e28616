"""The networks of the papers by name, each as an actor and a critic with the published sizes.

All read observations (R, S, L, observation_size) and context (R, L, context_size). The project's sizes are 17 and 29;
in the paper's counting a limb's 52 numbers are 17 that change and 35 of context. Departure: MetaMorph without its
dropout of 0.1 on tokens, which was on in rollout and update alike. Two draws of it alone put a KL divergence of 0.14
between a policy and itself (fresh weights, action std 0.9, 9 limbs), well above what PPO allows an update.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from hd_controller.context import CONTEXT_SIZE
from hd_controller.errors import HdError
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.actor_critic import ActorCritic
from hd_training.limb_mlp import MultiRobotMlp, SingleRobotMlp
from hd_training.limb_transformer import LimbTransformer
from hd_training.modumorph import ModuMorph
from hd_training.network_sizes import (
    MODUMORPH_COMPRESSED,
    PAPER_ACTION_STD,
    PAPER_LIMBS,
    SLOTS,
    TRANSFORMER_COMPRESSED,
    TRANSFORMER_COMPRESSED_TERRAIN,
    TRANSFORMER_PAPER,
)


@dataclass(frozen=True)
class NetworkInputs:
    """What a network must have room for."""

    observation_size: int = OBSERVATION_SIZE  # F
    context_size: int = CONTEXT_SIZE  # C
    max_limbs: int = PAPER_LIMBS  # only for networks that know limbs by their place
    robots: int = 1  # only for single-robot MLPs

    def widths(self) -> dict[str, int]:
        """The two widths as keyword arguments."""
        return {"observation_size": self.observation_size, "context_size": self.context_size}


def _single(inputs: NetworkInputs, outputs: int) -> nn.Module:
    return SingleRobotMlp(
        observation_size=inputs.observation_size, outputs=outputs, limbs=inputs.max_limbs, robots=inputs.robots
    )


NETWORKS: dict[str, Callable[[NetworkInputs, int], nn.Module]] = {
    "modumorph": lambda i, outputs: ModuMorph(TRANSFORMER_PAPER, outputs=outputs, **i.widths()),
    "modumorph_compressed": lambda i, outputs: ModuMorph(MODUMORPH_COMPRESSED, outputs=outputs, **i.widths()),
    "metamorph": lambda i, outputs: LimbTransformer(
        TRANSFORMER_PAPER, outputs=outputs, max_limbs=i.max_limbs, **i.widths()
    ),
    "transformer": lambda i, outputs: LimbTransformer(TRANSFORMER_PAPER, outputs=outputs, **i.widths()),
    "transformer_compressed": lambda i, outputs: LimbTransformer(
        TRANSFORMER_COMPRESSED, outputs=outputs, **i.widths()
    ),
    "transformer_compressed_terrain": lambda i, outputs: LimbTransformer(
        TRANSFORMER_COMPRESSED_TERRAIN, outputs=outputs, **i.widths()
    ),
    "multi_robot_mlp": lambda i, outputs: MultiRobotMlp(outputs=outputs, max_limbs=i.max_limbs, **i.widths()),
    "single_robot_mlp": _single,
}


def paper_network(name: str, inputs: NetworkInputs, *, std: float = PAPER_ACTION_STD) -> ActorCritic:
    """Actor and critic with freshly drawn weights (torch's global generator); HdError for an unknown name."""
    if name not in NETWORKS:
        raise HdError(f"network '{name}' is unknown, expected one of {', '.join(sorted(NETWORKS))}")
    build = NETWORKS[name]
    return ActorCritic(build(inputs, SLOTS), build(inputs, 1), std=std)
