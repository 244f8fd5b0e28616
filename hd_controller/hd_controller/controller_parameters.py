"""Parameters of the controller node: name, default, meaning; read once at start."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from hd_controller import real_time_parameters
from hd_controller.controller import ControllerSettings
from hd_controller.controller_modes import REARM
from hd_controller.errors import HdError
from hd_controller.guard_settings import PROFILES, meanings, profile_settings, profile_values
from hd_controller.joint_mapping import JointMapping
from hd_controller.node_manual import NodeManual
from hd_controller.node_runner import EXECUTOR_PARAMETER

TRIGGERS = ("state", "steady_clock")
BASE_STATES = ("odom", "imu")
RELIABILITIES = ("auto", "reliable", "best_effort")

PARAMETERS: dict[str, tuple[object, str]] = {
    "autostart": (True, "configure and activate without being asked"),
    "trigger": ("state", "state: act on each state (simulation); steady_clock: act once per period (hardware)"),
    "lockstep": (False, "the simulator waits for each command: states are received reliably"),
    "control_period": (0.02, "seconds; a policy with another control period is refused"),
    "base_state": ("odom", "odom: pose and twist of the torso; imu: height and velocity are estimated"),
    "state_reliability": ("auto", "reliable, best_effort, or auto: reliable with trigger state, else best effort"),
    "rearm_on_swap": ("auto", "auto: run by itself at start and after a swap; manual: wait for ~/enable"),
    "guard_profile": ("benchmark", "benchmark: finite, stale, e_stop; hardware: all guards; it gives the defaults of "
                                  "the guards' own parameters"),
    "damping_gain": (1.0, "N m s/rad of the damping command in standby and fault"),
    "allow_out_of_distribution": (False, "activate policies of robots outside the trained range"),
    "command_type": ("hd", "hd, joint_state or float64_array"),
    "joint_order": ("", "joints of a float64_array command as the hardware names them: a list, or names with commas"),
    "command_controller": ("", "node name of the forward_command_controller: its joints must be joint_order before "
                               "~/enable; needs rearm_on_swap manual"),
    "joint_mapping": ("", "YAML file with the hardware's joint names, directions and zeros; empty: as the description"),
    "dry_run": (False, "compute and publish everything except commands; those go to ~/dry_run_commands"),
    "policy_file": ("", "policy bundle to run without a generator; it must fit the robot_description"),
}


# The guards' own parameters; their defaults depend on guard_profile.
GUARD_PARAMETERS: dict[str, tuple[object, str]] = {
    name: (profile_values("hardware")[name], meaning) for name, meaning in meanings().items()}

MANUAL = NodeManual(
    "controller_node", "Lifecycle node that runs the generated policy: robot states in, joint commands out.",
    ["ros2 run hd_controller controller_node --ros-args -p use_sim_time:=true",
     "ros2 run hd_controller controller_node --ros-args -p policy_file:=quadruped.npz -p guard_profile:=hardware"],
    {**PARAMETERS, **{name: (default, GUARD_PARAMETERS[name][1]) for name, default in
                      profile_values("benchmark").items()}, **real_time_parameters.PARAMETERS, **EXECUTOR_PARAMETER})


def declare(node: Node) -> None:
    """Declare all parameters, read-only and described; raises HdError for an unknown guard profile."""
    for name, (default, meaning) in PARAMETERS.items():
        node.declare_parameter(name, default, ParameterDescriptor(
            description=meaning, read_only=True, dynamic_typing=isinstance(default, float) or name == "joint_order"))
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


def number(node: Node, name: str, least: float, largest: float) -> float:
    """The value of a parameter that must be a number within these bounds; raises HdError otherwise."""
    value = node.get_parameter(name).value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= largest:
        raise HdError(f"parameter {name} is {value!r}; expected a number from {least:g} to {largest:g}")
    return float(value)


def _joint_order(node: Node) -> tuple[str, ...]:
    """Names of joint_order, each once; raises HdError for a command without names that has none."""
    value = node.get_parameter("joint_order").value
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(name, str) for name in listed):
        raise HdError(f"parameter joint_order is {value!r}; expected names of joints")
    names = tuple(name.strip() for name in listed if name.strip())
    if node.get_parameter("command_type").value == "float64_array" and not names:
        raise HdError("parameter joint_order is empty; command_type float64_array carries no names, so list the joints "
                      "in the order of the command controller")
    return names


def _check_command_controller(node: Node) -> None:
    """A controller that arms itself would not wait for the answer; raises HdError."""
    if node.get_parameter("command_controller").value and node.get_parameter("rearm_on_swap").value != "manual":
        raise HdError("parameter command_controller needs rearm_on_swap manual, so that nothing runs before its joints "
                      "are confirmed")


def _mapping(node: Node) -> JointMapping | None:
    """The joint mapping file, if one is given."""
    path = node.get_parameter("joint_mapping").value
    return JointMapping.load(path) if path else None


def settings(node: Node) -> ControllerSettings:
    """The part of the parameters that the ROS-free controller needs."""
    _check_command_controller(node)
    return ControllerSettings(
        rearm_on_swap=choice(node, "rearm_on_swap", REARM), control_period_s=number(node, "control_period", 1e-3, 1.0),
        damping_gain=number(node, "damping_gain", 1e-6, 1e6), joint_order=_joint_order(node), mapping=_mapping(node),
        base_state=choice(node, "base_state", BASE_STATES),
        guards=profile_settings(choice(node, "guard_profile", PROFILES), **{
            name: node.get_parameter(name).value for name in GUARD_PARAMETERS}),
        allow_out_of_distribution=bool(node.get_parameter("allow_out_of_distribution").value))
