"""Parameters of the bridge node: name, default, meaning; read once at start."""

from __future__ import annotations

from dataclasses import dataclass

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from hd_controller.errors import HdError

VIEWERS = ("none", "native")

PARAMETERS: dict[str, tuple[object, str]] = {
    "lockstep": (False, "wait for the command that answers each state, as fast as the machine allows"),
    "real_time_factor": (1.0, "simulated seconds per second of wall time; not used in lockstep"),
    "duration": (0.0, "simulated seconds in mode run after which a summary is printed and the node ends; 0: no end"),
    "start_timeout": (60.0, "with a duration: seconds of wall time without a step before giving up; 0: for ever"),
    "command_timeout": (0.1, "real time: seconds after which a command, or the state that it answers, is too old and "
                        "the efforts become zero"),
    "hold_until_command": (True, "keep a new robot at its spawn pose until its first command arrives"),
    "seed": (0, "seed of the reset noise"),
    "record": ("", "file (.npz) for configurations and efforts of every step; empty: none"),
    "viewer": ("none", "none, or native for MuJoCo's window"),
}


@dataclass(frozen=True)
class BridgeSettings:
    """Values of the parameters above."""

    lockstep: bool
    real_time_factor: float
    duration: float
    start_timeout: float
    command_timeout: float
    hold_until_command: bool
    seed: int
    record: str
    viewer: str


def declare_and_read(node: Node) -> BridgeSettings:
    """Declare all parameters, read-only and described; raises HdError for a value that makes no sense."""
    values = {}
    for name, (default, meaning) in PARAMETERS.items():
        descriptor = ParameterDescriptor(description=meaning, read_only=True, dynamic_typing=True)
        value = node.declare_parameter(name, default, descriptor).value
        try:
            if isinstance(default, bool) and not isinstance(value, bool):
                raise TypeError
            values[name] = type(default)(value)
        except (TypeError, ValueError):
            raise HdError(f"parameter {name} is '{value}'; expected a value like {default!r}") from None
    settings = BridgeSettings(**values)
    for name in ("real_time_factor", "command_timeout"):
        if not 0 < getattr(settings, name) < float("inf"):
            raise HdError(f"parameter {name} is {getattr(settings, name)}; expected a positive number")
    for name in ("duration", "start_timeout"):
        if not 0 <= getattr(settings, name) < float("inf"):
            raise HdError(f"parameter {name} is {getattr(settings, name)}; expected 0 or a positive number")
    if settings.seed < 0:
        raise HdError(f"parameter seed is {settings.seed}; expected 0 or a positive number")
    if settings.viewer not in VIEWERS:
        raise HdError(f"parameter viewer is '{settings.viewer}'; expected one of {', '.join(VIEWERS)}")
    return settings
