"""The newest accepted command of a simulated robot, and who was refused."""

from __future__ import annotations

import numpy as np

from hd_controller.errors import HdError
from hd_msgs.msg import JointCommand
from hd_sim_bridge.conversions import CommandReader


class CommandInbox:
    """Holds the efforts (J,) [N m] that act on the robot. Times are seconds on a steady clock."""

    def __init__(self) -> None:
        self.efforts = np.zeros(0)
        self.refused = 0
        self.accepted_s = 0.0
        self._incoming = np.zeros(0)
        self._reader: CommandReader | None = None
        self._first_stamp_ns = 0

    def new_robot(self, reader: CommandReader, joints: int, first_stamp_ns: int) -> None:
        """From now on only commands for this robot count that answer a state from its spawn on."""
        self._reader, self._first_stamp_ns = reader, first_stamp_ns
        self.efforts, self._incoming = np.zeros(joints), np.zeros(joints)

    def read(self, message: JointCommand) -> int:
        """Check a command and return the stamp it answers [ns]; refused ones are counted and raise HdError."""
        try:
            if self._reader is None:
                raise HdError("command while there is no robot")
            stamp_ns = self._reader.read(message, self._incoming)
            if stamp_ns < self._first_stamp_ns:
                raise HdError("command answers a state from before this robot was there")
        except HdError:
            self.refused += 1
            raise
        return stamp_ns

    def accept(self, now_s: float) -> None:
        """Let the command read last act."""
        self.efforts, self._incoming = self._incoming, self.efforts
        self.accepted_s = now_s

    def zero(self) -> None:
        """No command acts."""
        self.efforts[:] = 0.0

    def drop_old(self, now_s: float, timeout_s: float) -> bool:
        """Zero the efforts of a command older than the timeout; True if they were not zero."""
        if now_s - self.accepted_s <= timeout_s or not self.efforts.any():
            return False
        self.zero()
        return True
