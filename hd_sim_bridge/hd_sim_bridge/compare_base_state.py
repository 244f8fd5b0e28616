"""``compare_base_state``: what noise and a missing odometry cost in return, in simulation.

Columns: the truth; joints and odometry with noise; IMU and joints alone, where height and velocity of the torso are
estimated, without noise, with it, and without an accelerometer. Guards: profile benchmark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from hd_controller.command_manners import mannered
from hd_controller.controller import ControllerSettings
from hd_controller.errors import HdError
from hd_controller.policy_bundle import PolicyBundle
from hd_sim_bridge.compare_guards import add_arguments, run_command
from hd_sim_bridge.guarded_episode import Episode, run_episode
from hd_sim_bridge.sensor_noise import NoiseLevels, NoisySensors

EXAMPLES = """examples:
  compare_base_state --episodes 8                       all shipped robots, half an hour
  compare_base_state quadruped --episodes 1 --steps 100 a first look, in seconds
  compare_base_state --noise 2 --json > figures.json    twice the noise, every episode as JSON"""


@dataclass(frozen=True)
class SensorSetting:
    """A column of the table."""

    name: str
    base_state: str
    noise: float
    accelerometer: bool = True


def columns(noise: float) -> list[SensorSetting]:
    """Ways of knowing the torso; `noise` scales the levels of NoiseLevels."""
    return [SensorSetting("odom", "odom", 0.0), SensorSetting("odom, noise", "odom", noise),
            SensorSetting("imu", "imu", 0.0), SensorSetting("imu, noise", "imu", noise),
            SensorSetting("imu without accelerometer, noise", "imu", noise, accelerometer=False)]


def play(bundles: Sequence[PolicyBundle], setting: SensorSetting, episodes: int, steps: int) -> list[list[Episode]]:
    """Episodes of every robot with these sensors; seeds 0, 1, ... for all alike."""
    settings = ControllerSettings(base_state=setting.base_state, allow_out_of_distribution=True)
    levels = NoiseLevels().scaled(setting.noise)

    def sensors(seed: int) -> NoisySensors:
        return NoisySensors(levels, seed, imu=setting.base_state == "imu", accelerometer=setting.accelerometer)

    return [[run_episode(bundle, settings, sensors(seed), seed, steps) for seed in range(episodes)]
            for bundle in bundles]


@mannered
def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit code 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(prog="compare_base_state", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--noise", type=float, default=1.0, help="factor on all noise levels")
    options = parser.parse_args(arguments)
    if not 0 <= options.noise < float("inf"):
        parser.error(f"--noise is {options.noise:g}; expected 0 or a positive number")
    try:
        return run_command(options, columns(options.noise), play)
    except HdError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
