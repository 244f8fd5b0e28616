"""The limbs that exist of R robots as one list, so that nothing is computed for padding.

Robots of equal limb count lie behind one another: each such group is one batch of matrix products across limbs.
Letters as in `teacher.py`; T: limbs of all robots together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Group:
    """Robots of equal limb count."""

    robots: Tensor  # (G,) their indices
    limbs: Tensor  # (G, l) the indices of their limbs among L
    rows: slice  # their G * l rows of the list


@dataclass(frozen=True)
class LimbRows:
    """Where each limb of the list comes from."""

    robot: Tensor  # (T,)
    limb: Tensor  # (T,)
    groups: tuple[Group, ...]

    @staticmethod
    @torch.compiler.disable
    def of(valid: Tensor) -> LimbRows:
        """The limbs marked in `valid` (R, L) bool; every robot has at least one."""
        mask = valid.cpu().numpy()
        counts, groups, start = mask.sum(1), [], 0
        for count in np.unique(counts):
            robots = np.flatnonzero(counts == count)
            limbs = np.nonzero(mask[robots])[1].reshape(len(robots), count)
            rows = slice(start, start + limbs.size)
            places = (torch.from_numpy(each).to(valid.device) for each in (robots, limbs))
            groups.append(Group(*places, rows))
            start = rows.stop
        robot = torch.cat([group.robots.repeat_interleave(group.limbs.shape[1]) for group in groups])
        return LimbRows(robot, torch.cat([group.limbs.flatten() for group in groups]), tuple(groups))

    def pack(self, values: Tensor) -> Tensor:
        """(R, L, ...) to (T, ...)."""
        return values[self.robot, self.limb]

    def pack_samples(self, values: Tensor) -> Tensor:
        """(R, S, L, ...) to (T, S, ...)."""
        return values[self.robot, :, self.limb]

    def unpack_samples(self, rows: Tensor, robots: int, limbs: int) -> Tensor:
        """(T, S, A) to (R, S, L, A) with zeros for padding."""
        values = rows.new_zeros(robots, rows.shape[1], limbs, rows.shape[2])
        values[self.robot, :, self.limb] = rows
        return values

    def pack_mixing(self, attention: Tensor) -> tuple[Tensor, ...]:
        """Attention weights (R, heads, L, L) to one (G * heads, l, l) for each group."""
        packed = []
        for group in self.groups:
            target, source = group.limbs[:, None, :, None], group.limbs[:, None, None, :]
            heads = torch.arange(attention.shape[1], device=attention.device)[None, :, None, None]
            packed.append(attention[group.robots[:, None, None, None], heads, target, source].flatten(0, 1))
        return tuple(packed)

    def mix(self, mixing: tuple[Tensor, ...], values: Tensor) -> Tensor:
        """Sum each head's values (T, S, D) over the limbs of its robot with weights from :meth:`pack_mixing`."""
        _, samples, width = values.shape
        mixed = []
        for group, weights in zip(self.groups, mixing, strict=True):
            robots, limbs = group.limbs.shape
            heads = len(weights) // robots
            value = values[group.rows].view(robots, limbs, samples, heads, -1).permute(0, 3, 1, 2, 4)
            rows = weights @ value.reshape(robots * heads, limbs, -1)
            rows = rows.view(robots, heads, limbs, samples, -1).permute(0, 2, 3, 1, 4)
            mixed.append(rows.reshape(-1, samples, width))
        return torch.cat(mixed)
