"""Networks that know limbs by their place in the list have room for a fixed number of them."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from hd_controller.errors import HdError


def require_room(valid: Tensor, limit: int, network: str) -> None:
    """HdError where a robot of `valid` (R, L) bool has a limb at or beyond place `limit`."""
    if valid.shape[1] <= limit or not bool(valid[:, limit:].any()):
        return
    counts = valid.sum(1)
    robot = int(counts.argmax())
    raise HdError(
        f"{network}: robot {robot} of the batch has {int(counts[robot])} limbs, expected at most {limit}, the number "
        "this network was built for; build and train it with a larger max_limbs, or use a network without a limit "
        "(modumorph, transformer)"
    )


def fitted(rows: Tensor, limbs: int) -> Tensor:
    """First axis of `rows` cropped, or padded with zeros, to `limbs`; only padding limbs ever meet the zeros."""
    missing = limbs - rows.shape[0]
    if missing <= 0:
        return rows[:limbs]
    return functional.pad(rows, (0, 0) * (rows.dim() - 1) + (0, missing))
