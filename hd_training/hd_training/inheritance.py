"""An expert that starts from the expert of a similar body.

Rows of the first layer and columns of the last belong to limbs; those of limbs that both bodies have are copied, the
others start without effect. A gait that nearly fits is learned in a fraction of the steps that a fresh network needs,
and related bodies keep related gaits, which is what a universal teacher can learn from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hd_controller.errors import HdError
from hd_training.architecture import stored_architecture
from hd_training.checkpoint import load_checkpoint, require_equal
from hd_training.ppo import PpoLearner
from hd_training.presets import EXPERT


@dataclass(frozen=True)
class Relative:
    """A trained expert and what its body has in common with the one to train."""

    path: Path  # checkpoint of the relative's expert
    limbs: dict[int, int]  # limb of the robot to train -> limb of the relative


def inherit(learner: PpoLearner, relative: Relative, architecture: dict) -> None:
    """Give a fresh expert the relative's weights, action noise and statistics.

    Args:
        learner: of one robot, with the network that `architecture` describes.
        relative: whom from.
        architecture: of the learner, as `describe_architecture` gives it.

    Raises:
        HdError: the checkpoint holds no expert, or one of another size.
    """
    content = load_checkpoint(relative.path)
    there = stored_architecture(content)
    if there["network"] != EXPERT:
        raise HdError(f"{relative.path} is a checkpoint of network '{there['network']}', expected '{EXPERT}'")
    for name in ("width", "hidden"):
        require_equal(relative.path, name, there[name], architecture[name])
    known = {name: tensor for name, tensor in content["teacher"].items() if ".network." in name}
    limbs = {name: tensor for name, tensor in known.items() if _limb_axis(name) is not None}
    state = learner.teacher.state_dict()
    state.update({"actor.log_std": content["teacher"]["actor.log_std"], **known})
    for name, old in limbs.items():
        state[name] = _moved(old, _limb_axis(name), relative.limbs, there["limbs"], architecture["limbs"])
    learner.teacher.load_state_dict(state)
    learner.moments.load(content["moments"])
    learner.scale.mean, learner.scale.square, learner.scale.updates = content["scale"]
    learner.origin = f"weights of the expert of {relative.path.parent.name} after {content['counters'][0]} steps"


def _limb_axis(name: str) -> int | None:
    """The axis of a parameter of `SingleRobotMlp` along which limbs lie one after another; None for the rest."""
    axes = {"weights.0": 1, "last": 2, "last_bias": 2}
    return axes.get(name.partition(".network.")[2])


def _moved(old: Tensor, axis: int, limbs: dict[int, int], count_there: int, count_here: int) -> Tensor:
    """The parameter for `count_here` limbs: those that correspond are copied, the others 0."""
    parts = old.unflatten(axis, (count_there, -1))
    new = parts.new_zeros([*parts.shape[:axis], count_here, *parts.shape[axis + 1 :]])
    here, there = (torch.tensor(indices) for indices in (list(limbs), list(limbs.values())))
    new.index_copy_(axis, here, parts.index_select(axis, there))
    return new.flatten(axis, axis + 1)
