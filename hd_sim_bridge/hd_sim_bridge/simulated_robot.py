"""A simulated robot with its sensors and motors, perfect or not. Needs no ROS."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_sim_bridge.actuator_model import ActuatorModel
from hd_sim_bridge.imperfections import Imperfections
from hd_sim_bridge.randomisation import BodyRandomiser
from hd_sim_bridge.sensor_model import Reading, SensorModel
from hd_sim_bridge.simulation import STEP_NS, Simulation, SpawnPose

MOST_SAVED = 32
"""A robot's saved states take memory, and anyone on the network can save one."""
LONGEST_NAME = 100
MOST_WEIGHTS = 100.0
"""Largest part of a push in weights of the robot [N], and the same number of N m; far beyond, physics diverges."""
FARTHEST_M = 1e5
WIDEST_RAD = 1000.0


class SimulatedRobot:
    """`simulation` with imperfections; deterministic for a seed, and without any just the simulation itself."""

    def __init__(self, morphology: Morphology, seed: int = 0, imperfections: Imperfections | None = None) -> None:
        imperfections = imperfections or Imperfections()
        self.simulation = Simulation(morphology, seed)
        self.morphology = morphology
        self._sensors = SensorModel(imperfections, seed)
        self._actuators = ActuatorModel(np.asarray(morphology.effort_limits), imperfections, seed)
        self._body = BodyRandomiser(self.simulation.model, imperfections, seed)
        self._saved: dict[str, dict[str, Any]] = {}
        self._limits = np.asarray(morphology.effort_limits, dtype=float)
        self.efforts = np.zeros_like(self._limits)
        """(J,) [N m] that acted in the last control period, in the end."""
        self._shown: tuple[Reading | None] | None = None
        self._body.spawned(self.simulation.data)
        if imperfections.friction_spread or imperfections.mass_spread:
            self.simulation.reset(seed)
        self.simulation.before_spawn = self._respawned

    def _respawned(self, data: mujoco.MjData) -> None:
        """Also after physics that was not finite: everything begins anew."""
        self._shown = None
        self._body.spawned(data)
        self._sensors.spawned()
        self._actuators.spawned()

    @property
    def friction_factor(self) -> float:
        """What friction is multiplied by at present."""
        return self._body.factors.friction

    def advance(self, efforts: np.ndarray) -> bool:
        """One control period with commanded efforts (J,) [N m]; False when the robot had to be reset."""
        self._shown = None
        drive = self._actuators.drive(efforts)
        self.efforts = np.clip(drive.efforts, -self._limits, self._limits)
        return self.simulation.step(drive.efforts, drive.before, drive.before_steps)

    def hold(self) -> None:
        """Let one control period pass without moving the robot."""
        self._shown = None
        self.simulation.hold()

    def read_sensors(self) -> Reading | None:
        """What is shown of the present state, the same when asked again; None: nothing yet."""
        if self._shown is None:
            self._shown = (self._sensors.measure(self.simulation.state(), self.simulation.specific_force),)
        return self._shown[0]

    def reset(self, seed: int | None = None, pose: SpawnPose | None = None) -> None:
        """Spawn the robot again; with a seed, all chance begins anew. Raises HdError for a pose that makes no sense."""
        if pose is not None:
            self._check(pose)
        if seed is not None:
            self._body.spawned(self.simulation.data, seed)
            self._sensors.spawned(seed)
            self._actuators.spawned(seed)
        self._shown = None
        self.simulation.before_spawn = (lambda data: None) if seed is not None else self._respawned
        self.simulation.reset(seed, pose)
        self.simulation.before_spawn = self._respawned

    def push(self, limb: str, force: np.ndarray, torque: np.ndarray, duration_s: float) -> None:
        """Push a limb, or the torso where it is empty: force (3,) [N] and torque (3,) [N m] in world axes.

        duration_s is rounded up to whole control periods. Raises HdError for what makes no sense.
        """
        names = [entry.name for entry in self.morphology.limbs]
        if limb and limb not in names:
            raise HdError(f"there is no limb '{limb}'; expected one of {', '.join(names)}, or none for the torso")
        if not (np.isfinite(force).all() and np.isfinite(torque).all()):
            raise HdError("the push is not finite; expected force [N] and torque [N m] as numbers")
        if not 0 < duration_s <= 60.0:
            raise HdError(f"the push lasts {duration_s:g} s; expected more than 0 and at most 60 s")
        most = MOST_WEIGHTS * self.morphology.weight
        strongest = max(np.abs(force).max(), np.abs(torque).max())
        if strongest > most:
            raise HdError(f"the push has {strongest:.3g} N or N m; expected at most {most:.3g}, which is "
                          f"{MOST_WEIGHTS:g} times the robot's weight")
        steps = int(np.ceil(duration_s * 1e9 / STEP_NS - 1e-6))
        self.simulation.push(names.index(limb) if limb else 0, force, torque, steps)

    def save(self, name: str) -> None:
        """Keep the present state under a name, in the place of an earlier one.

        Raises HdError when there are too many, and for a name that cannot be shown in a line.
        """
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise HdError(f"the name has {len(name)} characters; expected at most {LONGEST_NAME} printable ones")
        if name not in self._saved and len(self._saved) >= MOST_SAVED:
            raise HdError(f"{MOST_SAVED} states are saved, which is the most; save under one of their names again")
        self._saved[name] = {"simulation": self.simulation.snapshot(), "sensors": self._sensors.snapshot(),
                             "actuators": self._actuators.snapshot(), "body": self._body.snapshot(),
                             "shown": self._shown}

    def restore(self, name: str) -> None:
        """Go on from a saved state, one control period later than the present: time never goes back.

        Raises HdError for a name that is not there.
        """
        if name not in self._saved:
            known = ", ".join(f"'{entry}'" for entry in self._saved) or "none"
            raise HdError(f"there is no saved state '{name}' of this robot; saved are: {known}")
        saved = self._saved[name]
        self._body.restore(saved["body"], self.simulation.data)
        self.simulation.hold()
        later_ns = self.simulation.restore(saved["simulation"])
        self._actuators.restore(saved["actuators"])
        self._sensors.restore(saved["sensors"])
        self._sensors.shift_time(later_ns)
        self._shown = saved["shown"] and (saved["shown"][0] and saved["shown"][0].later(later_ns),)

    def _check(self, pose: SpawnPose) -> None:
        """HdError for a pose that no robot can have."""
        joints = pose.joint_positions
        if not (np.isfinite(pose.position).all() and np.isfinite(pose.orientation).all()):
            raise HdError("the pose is not finite; expected a position [m] and a quaternion")
        if np.linalg.norm(pose.orientation) < 1e-6:
            raise HdError("the pose's quaternion is zero; expected an orientation such as w = 1")
        if joints is not None and not np.isfinite(joints).all():
            raise HdError("joint positions of the pose are not finite; expected [rad]")
        far_m, wide_rad = np.abs(pose.position).max(), 0.0 if joints is None else np.abs(joints).max(initial=0.0)
        if far_m > FARTHEST_M:
            raise HdError(f"the pose is {far_m:.3g} m away; expected at most {FARTHEST_M:g} m")
        if wide_rad > WIDEST_RAD:
            raise HdError(f"the pose has a joint at {wide_rad:.3g} rad; expected at most {WIDEST_RAD:g} rad")
