"""Parameters of the bridge node: name, default, meaning; read once at start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from hd_controller.errors import HdError
from hd_controller.node_manual import NodeManual
from hd_controller.node_runner import EXECUTOR_PARAMETER
from hd_sim_bridge.imperfections import Imperfections, SensorErrors, error_names

VIEWERS = ("none", "native", "web")

PARAMETERS: dict[str, tuple[object, str]] = {
    "lockstep": (False, "wait for the command that answers each state, as fast as the machine allows"),
    "real_time_factor": (1.0, "simulated seconds per second of wall time, can be changed; not used in lockstep"),
    "duration": (0.0, "simulated seconds in mode run after which a summary is printed and the node ends; 0: no end"),
    "start_timeout": (60.0, "with a duration: seconds of wall time without a step before giving up; 0: for ever"),
    "command_timeout": (0.1, "real time: seconds after which a command, or the state that it answers, is too old and "
                        "the efforts become zero"),
    "hold_until_command": (True, "keep a new robot at its spawn pose until its first command arrives"),
    "seed": (0, "seed of the reset noise"),
    "record": ("", "file: .mcap for all topics, .npz for configurations and efforts of every step; empty: none"),
    "video": ("", "file (.mp4, .webp) for a film that is rendered off-screen; empty: none"),
    "viewer": ("none", "native for MuJoCo's window; none or web (a node of its own) for no window here"),
}
IMPERFECTIONS: dict[str, tuple[object, str]] = {
    **{f"sensor_noise.{name}": (0.0, "standard deviation of white noise, SI units") for name in error_names()},
    **{f"sensor_bias.{name}": (0.0, "standard deviation of an offset drawn at every spawn, SI units")
       for name in error_names()},
    "sensor_delay": (0.0, "age of states when they are published, whole control periods [s]"),
    "sensor_drop": (0.0, "probability that a message of joint_states, odom or imu is lost"),
    "actuator_delay": (0.0, "time from a command to its effort, whole physics steps [s]"),
    "effort_noise": (0.0, "standard deviation of efforts in parts of the joint's limit"),
    "friction_spread": (0.0, "at every spawn, friction is multiplied by one of [1 - spread, 1 + spread]"),
    "mass_spread": (0.0, "at every spawn, each limb's mass and inertia are multiplied likewise"),
}

MANUAL = NodeManual(
    "bridge_node", "Simulates the described robot behind the topics that a real robot has.",
    ["ros2 run hd_sim_bridge bridge_node",
     "ros2 run hd_sim_bridge bridge_node --ros-args -p lockstep:=true -p duration:=20.0 -p record:=run.mcap"],
    {**PARAMETERS, **IMPERFECTIONS, **EXECUTOR_PARAMETER})


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
    video: str
    viewer: str
    imperfections: Imperfections


def declare_and_read(node: Node) -> BridgeSettings:
    """Declare all parameters, read-only and described; raises HdError for a value that makes no sense."""
    values = _declared(node, PARAMETERS)
    settings = BridgeSettings(**values, imperfections=_imperfections(_declared(node, IMPERFECTIONS)))
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


def changed_factor(changed: Sequence[Parameter], lockstep: bool) -> float | None:
    """The real-time factor that is being set, None when it is not; HdError for a value that makes no sense."""
    for parameter in changed:
        if parameter.name != "real_time_factor":
            continue
        if lockstep:
            raise HdError("in lockstep there is no real-time factor: each step waits for its command")
        value = parameter.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
            raise HdError(f"parameter real_time_factor is set to '{value}'; expected a positive number")
        return float(value)
    return None


def _imperfections(values: dict[str, object]) -> Imperfections:
    """The parameters of IMPERFECTIONS as one object."""
    def errors(kind: str) -> SensorErrors:
        return SensorErrors(**{name: values[f"{kind}.{name}"] for name in error_names()})

    rest = {entry.name: values[entry.name.removesuffix("_s")] for entry in fields(Imperfections)
            if entry.name not in ("noise", "bias")}
    return Imperfections(noise=errors("sensor_noise"), bias=errors("sensor_bias"), **rest)


def _declared(node: Node, parameters: dict[str, tuple[object, str]]) -> dict[str, object]:
    """Declare parameters and return their values; all but the real-time factor are read-only."""
    values = {}
    for name, (default, meaning) in parameters.items():
        descriptor = ParameterDescriptor(description=meaning, read_only=name != "real_time_factor", dynamic_typing=True)
        value = node.declare_parameter(name, default, descriptor).value
        try:
            if isinstance(default, bool) and not isinstance(value, bool):
                raise TypeError
            values[name] = type(default)(value)
        except (TypeError, ValueError):
            raise HdError(f"parameter {name} is '{value}'; expected a value like {default!r}") from None
    return values
