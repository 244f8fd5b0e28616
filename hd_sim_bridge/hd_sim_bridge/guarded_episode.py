"""One episode through the controller's whole chain, guards included, in one process and without ROS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hd_controller.controller import Controller, ControllerSettings, prepare_policy
from hd_controller.controller_modes import Mode
from hd_controller.joint_map import StateError
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.state_assembly import StateAssembly
from hd_sim_bridge.simulation import Simulation

EPISODE_STEPS = 1000
FALL_SHARE = 0.5
"""An episode ends when the torso is at or below this share of its standing height, as in training."""


class Sensors(Protocol):
    """Turns the truth into what the controller's messages would say."""

    def feed(self, simulation: Simulation, assembly: StateAssembly, now_s: float) -> None:
        """Hand one state to the assembly at this time of the steady clock [s]; raises StateError as messages do."""


class PerfectSensors:
    """Joint states and odometry without errors."""

    def feed(self, simulation: Simulation, assembly: StateAssembly, now_s: float) -> None:
        """Hand everything on bit by bit."""
        truth = simulation.state()
        assembly.take_joints(truth.stamp_ns, list(assembly.joint_map.names), truth.joint_positions,
                             truth.joint_velocities, now_s)
        assembly.take_base(truth.stamp_ns, np.concatenate(
            [truth.position, truth.orientation, truth.linear_velocity, truth.angular_velocity]), now_s)


@dataclass(frozen=True)
class Episode:
    """How one episode went."""

    total_return: float
    """Sum of forward speeds [m/s] of the torso over control steps: distance / 0.02 s."""
    steps: int
    ended_by: str
    """Guard that ended run, 'fall', or empty for the end of time."""


def run_episode(bundle: PolicyBundle, settings: ControllerSettings, sensors: Sensors, seed: int,
                steps: int = EPISODE_STEPS) -> Episode:
    """Run a policy on its robot; deterministic for a seed. A guard that ends run leaves the robot to damping."""
    simulation = Simulation(bundle.morphology, seed)
    controller = Controller(settings)
    policy = prepare_policy(bundle, settings)
    controller.modes.description(bundle.description_sha256)
    controller.bind(policy)
    start_x, ended_by = float(simulation.torso_position[0]), ""
    lowest = FALL_SHARE * bundle.morphology.standing_height
    for step in range(1, steps + 1):
        simulation.step(_efforts(controller, policy.assembly, sensors, simulation, step * CONTROL_PERIOD_S))
        if controller.modes.mode is Mode.FAULT and not ended_by:
            ended_by = controller.counters.newest
        if simulation.torso_position[2] <= lowest:
            ended_by = ended_by or "fall"
            break
    distance = float(simulation.torso_position[0]) - start_x
    return Episode(distance / CONTROL_PERIOD_S, step, ended_by)


def _efforts(controller: Controller, assembly: StateAssembly, sensors: Sensors, simulation: Simulation,
             now_s: float) -> np.ndarray:
    """What the controller node would send for this state: (J,) [N m]."""
    try:
        sensors.feed(simulation, assembly, now_s)
    except StateError as problem:
        if controller.refuse(problem):
            return controller.zero()
    efforts = controller.answer(assembly.state())
    assert efforts is not None
    return efforts
