"""The newest accepted command of a simulated robot, and who was refused."""

from __future__ import annotations

import numpy as np

from hd_controller.errors import HdError
from hd_msgs.msg import JointCommand
from hd_sim_bridge.command_age import CommandAge
from hd_sim_bridge.conversions import CommandReader


class CommandInbox:
    """Holds the efforts (J,) [N m] that act on the robot. Times are seconds on a steady clock."""

    def __init__(self, age: CommandAge) -> None:
        self.efforts = np.zeros(0)
        self.refused = self.expired = 0
        self.age = age
        self._stamp_ns = 0
        self._incoming = np.zeros(0)
        self._reader: CommandReader | None = None
        self._first_stamp_ns = 0

    def new_robot(self, reader: CommandReader, joints: int, first_stamp_ns: int) -> None:
        """From now on only commands for this robot count that answer a state from its spawn on."""
        self._reader, self._first_stamp_ns = reader, first_stamp_ns
        self.efforts, self._incoming = np.zeros(joints), np.zeros(joints)

    def read(self, message: JointCommand, newest_stamp_ns: int) -> int:
        """Check a command and return the stamp it answers [ns]; refused ones are counted and raise HdError.

        newest_stamp_ns: stamp of the state shown last, which a command cannot be ahead of.
        """
        try:
            if self._reader is None:
                raise HdError("command while there is no robot")
            stamp_ns = self._reader.read(message, self._incoming)
            if stamp_ns < self._first_stamp_ns:
                raise HdError("command answers a state from before this robot was there")
            if stamp_ns > newest_stamp_ns:
                raise HdError("command is stamped later than the newest state; expected the stamp of the state that it "
                              "answers")
        except HdError:
            self.refused += 1
            raise
        self._stamp_ns = stamp_ns
        return stamp_ns

    def accept(self, now_s: float) -> None:
        """Let the command read last act."""
        self.efforts, self._incoming = self._incoming, self.efforts
        self.age.accepted(now_s, self._stamp_ns)

    def zero(self) -> None:
        """No command acts."""
        self.efforts[:] = 0.0

    def drop_old(self, now_s: float, now_ns: int) -> bool:
        """Zero the efforts of a command that is too old at this robot time; True if they were not zero."""
        if not self.efforts.any() or not self.age.too_old(now_s, now_ns):
            return False
        self.zero()
        self.expired += 1
        return True
