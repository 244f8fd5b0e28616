"""Where networks run and in which precision; a missing GPU is refused, a missing compiler only costs time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from hd_controller.errors import HdError
from hd_training.presets import Preset


@dataclass(frozen=True)
class Placement:
    """Device of networks and samples. Simulation, advantages and random numbers stay on the processor."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    bfloat16: bool = False  # matrix products in bfloat16, weights and losses in float32
    compiled: bool = False

    @classmethod
    def of(cls, preset: Preset) -> Placement:
        """The preset's device; HdError where the machine lacks it."""
        device = torch.device(preset.device)
        if device.type == "cuda" and not torch.cuda.is_available():
            raise HdError(
                f"preset '{preset.name}' runs its networks on a CUDA GPU and torch finds none on this machine; install "
                "a build of torch for CUDA, or run on the processor with --device cpu"
            )
        on_gpu = device.type == "cuda"
        return cls(device, preset.bfloat16 and on_gpu, preset.compiled and on_gpu and _has_compiler())

    def precision(self) -> contextlib.AbstractContextManager:
        """Context in which networks are called."""
        if not self.bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def compile(self, function: Callable) -> Callable:
        """The function, compiled where asked for."""
        return torch.compile(function) if self.compiled else function


def _has_compiler() -> bool:
    """Whether torch.compile has what it needs to make GPU kernels."""
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True
