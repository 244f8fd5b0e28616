"""Parameters of the controller node: name, default, meaning; read once at start."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from hd_controller import real_time_parameters
from hd_controller.controller import ControllerSettings
from hd_controller.controller_modes import REARM
from hd_controller.errors import HdError
from hd_controller.guard_settings import PROFILES, meanings, profile_settings, profile_values

TRIGGERS = ("state", "steady_clock")
BASE_STATES = ("odom", "imu")
RELIABILITIES = ("auto", "reliable", "best_effort")

PARAMETERS: dict[str, tuple[object, str]] = {
    "autostart": (True, "configure and activate without being asked"),
    "trigger": ("state", "state: act on each state (simulation); steady_clock: act once per period (hardware)"),
    "lockstep": (False, "the simulator waits for each command: states are received reliably"),
    "control_period": (0.02, "seconds; a policy with another control period is refused"),
    "base_state": ("odom", "odom: pose and twist of the torso; imu: orientation and angular velocity only"),
    "state_reliability": ("auto", "reliable, best_effort, or auto: reliable with trigger state, else best effort"),
    "rearm_on_swap": ("auto", "auto: run by itself at start and after a swap; manual: wait for ~/enable"),
    "guard_profile": ("benchmark", "benchmark: finite, stale, e_stop; hardware: all guards; it gives the defaults of "
                                  "the guards' own parameters"),
    "damping_gain": (1.0, "N m s/rad of the damping command in standby and fault"),
    "allow_out_of_distribution": (False, "activate policies of robots outside the trained range"),
    "command_type": ("hd", "hd, joint_state or float64_array"),
    "policy_file": ("", "policy bundle to run without a generator; it must fit the robot_description"),
}


# The guards' own parameters; their defaults depend on guard_profile.
GUARD_PARAMETERS: dict[str, tuple[object, str]] = {
    name: (profile_values("hardware")[name], meaning) for name, meaning in meanings().items()}


def declare(node: Node) -> None:
    """Declare all parameters, read-only and described; raises HdError for an unknown guard profile."""
    for name, (default, meaning) in PARAMETERS.items():
        node.declare_parameter(name, default, ParameterDescriptor(
            description=meaning, read_only=True, dynamic_typing=isinstance(default, float)))
    real_time_parameters.declare(node)
    for name, default in profile_values(node.get_parameter("guard_profile").value).items():
        node.declare_parameter(name, default, ParameterDescriptor(
            description=GUARD_PARAMETERS[name][1], read_only=True, dynamic_typing=True))


def choice(node: Node, name: str, allowed: tuple[str, ...]) -> str:
    """The value of a parameter with a fixed set of values; raises HdError for another one."""
    value = node.get_parameter(name).value
    if value not in allowed:
        raise HdError(f"parameter {name} is '{value}'; expected one of {', '.join(allowed)}")
    return value


def positive(node: Node, name: str) -> float:
    """The value of a parameter that must be a positive number; raises HdError otherwise."""
    value = node.get_parameter(name).value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise HdError(f"parameter {name} is {value}; expected a positive number")
    return float(value)


def settings(node: Node) -> ControllerSettings:
    """The part of the parameters that the ROS-free controller needs."""
    return ControllerSettings(
        rearm_on_swap=choice(node, "rearm_on_swap", REARM), control_period_s=positive(node, "control_period"),
        damping_gain=positive(node, "damping_gain"),
        guards=profile_settings(choice(node, "guard_profile", PROFILES), **{
            name: node.get_parameter(name).value for name in GUARD_PARAMETERS}),
        allow_out_of_distribution=bool(node.get_parameter("allow_out_of_distribution").value))
