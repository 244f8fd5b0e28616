"""What is wrong with a simulated robot on purpose: sensors, motors and body. Everything is off by default."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from hd_controller.errors import HdError
from hd_controller.mujoco_model import CONTROL_PERIOD_S, PHYSICS_STEP_S


@dataclass(frozen=True)
class SensorErrors:
    """One figure for each measured quantity: a standard deviation of noise or of a bias."""

    joint_position: float = 0.0
    """[rad]"""
    joint_velocity: float = 0.0
    """[rad/s]"""
    orientation: float = 0.0
    """[rad] about each axis of the torso"""
    angular_velocity: float = 0.0
    """[rad/s]"""
    specific_force: float = 0.0
    """[m/s^2], the IMU's linear acceleration"""
    position: float = 0.0
    """[m], odometry"""
    linear_velocity: float = 0.0
    """[m/s], odometry"""

    @property
    def any(self) -> bool:
        """True when something is wrong at all."""
        return any(vars(self).values())


@dataclass(frozen=True)
class Imperfections:
    """How the simulated robot differs from its description and from perfect sensors and motors."""

    noise: SensorErrors = field(default_factory=SensorErrors)
    """Standard deviation of white noise, drawn for every state."""
    bias: SensorErrors = field(default_factory=SensorErrors)
    """Standard deviation of offsets that are drawn at every spawn and stay."""
    sensor_delay_s: float = 0.0
    """Age of a state when it is published, a whole number of control periods; its stamp says when it was measured."""
    sensor_drop: float = 0.0
    """Probability that a message of joint_states, odom or imu is lost, each for itself; below 1."""
    actuator_delay_s: float = 0.0
    """Time from a command to its effort, a whole number of physics steps."""
    effort_noise: float = 0.0
    """Standard deviation of the effort of a control period, in parts of the joint's effort limit."""
    friction_spread: float = 0.0
    """Friction of the ground and the body is multiplied by one factor of [1 - spread, 1 + spread]."""
    mass_spread: float = 0.0
    """Mass and inertia of each limb are multiplied by a factor of [1 - spread, 1 + spread], one for each limb."""

    def __post_init__(self) -> None:
        """Raises HdError for a figure that makes no sense."""
        for errors, kind in ((self.noise, "sensor_noise"), (self.bias, "sensor_bias")):
            for name, value in vars(errors).items():
                _check(f"{kind}.{name}", value, 0.0, float("inf"))
        for name in ("sensor_delay_s", "actuator_delay_s", "effort_noise"):
            _check(name.removesuffix("_s"), getattr(self, name), 0.0, float("inf"))
        for name in ("sensor_drop", "friction_spread", "mass_spread"):
            _check(name, getattr(self, name), 0.0, 1.0)
        whole_number("sensor_delay", self.sensor_delay_s, CONTROL_PERIOD_S)
        whole_number("actuator_delay", self.actuator_delay_s, PHYSICS_STEP_S)

    @property
    def any(self) -> bool:
        """True when anything is not perfect."""
        return self != Imperfections()


def whole_number(name: str, delay_s: float, period_s: float) -> int:
    """How many periods a delay is; HdError when that is no whole number."""
    count = round(delay_s / period_s)
    if abs(count * period_s - delay_s) > 1e-9:
        raise HdError(f"parameter {name} is {delay_s:g} s; expected a whole number of {period_s:g} s")
    return count


def error_names() -> tuple[str, ...]:
    """Names of the measured quantities."""
    return tuple(entry.name for entry in fields(SensorErrors))


def _check(name: str, value: float, low: float, high: float) -> None:
    """HdError unless low <= value < high."""
    if not low <= value < high:
        wanted = "0 or a positive number" if high == float("inf") else f"a number from {low:g} to below {high:g}"
        raise HdError(f"parameter {name} is {value:g}; expected {wanted}")
