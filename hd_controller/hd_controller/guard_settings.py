"""Thresholds of all guards and the two profiles that choose them; docs/safety.md explains each guard."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from hd_controller.errors import HdError

PROFILES = ("benchmark", "hardware")
LONGEST_TIMEOUT_S = 60.0
MOST = 1e6
"""Of any threshold: infinity is no way to switch off a guard that cannot be switched off."""


def _threshold(benchmark: float, hardware: float, meaning: str, largest: float = MOST, least: float = 0.0) -> Any:
    """A field with its value in each profile, its meaning and the range that makes sense."""
    return field(default=benchmark, metadata={"hardware": hardware, "meaning": meaning, "range": (least, largest)})


@dataclass(frozen=True)
class GuardSettings:
    """One threshold per guard; 0 switches a guard off where nothing else is said. Defaults: profile `benchmark`.

    Raises HdError for a value that makes no sense.
    """

    not_finite_limit: int = _threshold(0, 3, "states in a row that are not finite, before a fault; none is ever used")
    state_timeout: float = _threshold(0.1, 0.06, "seconds on a steady clock after which states are stale",
                                      LONGEST_TIMEOUT_S, 1e-3)
    missing_limit: int = _threshold(0, 3, "states in a row with joints missing, unknown or of another robot, before a "
                                    "fault; none is ever used")
    out_of_order_limit: int = _threshold(0, 5, "states in a row older than the newest, before a fault; none is used")
    duplicated_limit: int = _threshold(0, 5, "messages in a row that repeat a stamp, before a fault; none is fresh")
    frozen_timeout: float = _threshold(0, 0.2, "seconds in run with exactly the same joint or torso values, before a "
                                       "fault")
    max_delay: float = _threshold(0, 0.05, "seconds that a state may come later than the quickest do; later ones are "
                                  "not used")
    clock_jump: float = _threshold(0, 0.5, "seconds that stamps may jump against the steady clock, before a fault")
    effort_scale: float = _threshold(1.0, 1.0, "largest effort as a share of the joint's limit", 1.0, 1e-6)
    effort_rate_limit: float = _threshold(0, 50.0, "largest change of an effort per second in run, in multiples of the "
                                          "joint's limit")
    position_guard: bool = _threshold(False, True, "no effort pushes a joint beyond a position bound")
    position_margin: float = _threshold(0, 0, "radians before a position bound where that effort has faded to zero")
    velocity_scale: float = _threshold(0, 1.0, "share of the velocity limit above which no effort accelerates a joint")
    max_tilt: float = _threshold(0, 2.0, "largest angle of the torso to the vertical in run [rad], before a fault",
                                 math.pi)
    min_height: float = _threshold(0, 0.5, "lowest torso height in run as a share of its standing height, before a "
                                   "fault")
    start_ramp: float = _threshold(0, 0.1, "seconds from damping to the policy's full efforts after a start")
    e_stop_heartbeat: float = _threshold(0, 0, "longest time between messages on e_stop [s], before it is latched")

    def __post_init__(self) -> None:
        """Check every value against its type and range."""
        for entry in fields(self):
            value, (least, largest) = getattr(self, entry.name), entry.metadata["range"]
            if not _is_a(entry.type, value) or not least <= value <= largest:
                words = "true or false" if entry.type == "bool" else _words(entry.type, least, largest)
                raise HdError(f"parameter {entry.name} is {value!r}; expected {words}")


def profile_values(profile: str) -> dict[str, float]:
    """Every threshold of a profile by name; raises HdError for an unknown profile."""
    if profile not in PROFILES:
        raise HdError(f"parameter guard_profile is '{profile}'; expected one of {', '.join(PROFILES)}")
    return {entry.name: entry.metadata["hardware"] if profile == "hardware" else entry.default
            for entry in fields(GuardSettings)}


def profile_settings(profile: str, **changes: float) -> GuardSettings:
    """A profile with some thresholds changed; raises HdError for an unknown profile and for values without sense."""
    return GuardSettings(**(profile_values(profile) | changes))


def meanings() -> dict[str, str]:
    """What each threshold is, by name."""
    return {entry.name: entry.metadata["meaning"] for entry in fields(GuardSettings)}


def _is_a(kind: str, value: object) -> bool:
    """True when a value has the type that a field is annotated with; a whole number is a float too."""
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    return isinstance(value, int) or (kind == "float" and isinstance(value, float))


def _words(kind: str, least: float, largest: float) -> str:
    """The range in words."""
    number = "a whole number" if kind == "int" else "a number"
    return f"{number} from {least:g} to {largest:g}"
