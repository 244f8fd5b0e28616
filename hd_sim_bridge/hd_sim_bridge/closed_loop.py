"""The whole control loop in one process, without ROS: simulation and policy, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hd_controller.control_loop import ControlLoop
from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_controller.policy_bundle import PolicyBundle
from hd_sim_bridge.simulation import Simulation


@dataclass(frozen=True)
class Trajectory:
    """T control steps of a robot with J joints."""

    qpos: np.ndarray
    """(T, 7 + J) configuration after each step."""
    efforts: np.ndarray
    """(T, J) [N m], in the order of the bundle's joint names."""
    distance_m: float
    """Way of the torso along +x."""


def run_closed_loop(bundle: PolicyBundle, steps: int, seed: int = 0) -> Trajectory:
    """Run a policy on its robot in simulation from the spawn pose; deterministic for a seed."""
    simulation = Simulation(bundle.morphology, seed)
    loop = ControlLoop(bundle)
    loop.reset(simulation.state())
    return _run(simulation, loop.step, steps)


def run_without_effort(morphology: Morphology, steps: int, seed: int = 0) -> Trajectory:
    """The same robot from the same pose with efforts of zero."""
    nothing = np.zeros(len(morphology.joint_names))
    return _run(Simulation(morphology, seed), lambda _: nothing, steps)


def _run(simulation: Simulation, act: Callable[[RobotState], np.ndarray], steps: int) -> Trajectory:
    """Let `act` answer every state with efforts (J,) [N m]."""
    start_x = float(simulation.torso_position[0])
    qpos, efforts = [], []
    for _ in range(steps):
        command = act(simulation.state())
        simulation.step(command)
        qpos.append(simulation.data.qpos.copy())
        efforts.append(np.array(command))
    return Trajectory(np.array(qpos), np.array(efforts), float(simulation.torso_position[0]) - start_x)
