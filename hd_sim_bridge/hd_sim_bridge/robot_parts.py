"""Everything that belongs to one simulated robot, built together from its description."""

from __future__ import annotations

from dataclasses import dataclass

from hd_controller.urdf_reader import read_urdf
from hd_sim_bridge.contact_forces import ContactForces
from hd_sim_bridge.conversions import CommandReader, DetailWriter, StateWriter
from hd_sim_bridge.imperfections import Imperfections
from hd_sim_bridge.link_frames import LinkFrames
from hd_sim_bridge.simulated_robot import SimulatedRobot


@dataclass(frozen=True)
class RobotParts:
    """The robot itself, and its messages in and out."""

    robot: SimulatedRobot
    reader: CommandReader
    sensors: StateWriter
    truth: StateWriter
    details: DetailWriter
    contacts: ContactForces
    frames: LinkFrames

    @classmethod
    def build(cls, text: str, seed: int, imperfections: Imperfections) -> RobotParts:
        """From a URDF text; raises HdError for one that is refused."""
        morphology = read_urdf(text, notes=[])  # what was assumed is told by the generator
        robot = SimulatedRobot(morphology, seed, imperfections)
        names = tuple(limb.name for limb in morphology.limbs)
        return cls(robot, CommandReader(morphology), StateWriter(morphology), StateWriter(morphology),
                   DetailWriter(morphology), ContactForces(robot.simulation.model, names), LinkFrames(text, morphology))
