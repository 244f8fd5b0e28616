"""The modes inside the controller's active state, as a state machine without clocks, messages or threads.

    standby  no policy acts: damping command, or silence while no policy is bound
    run      the policy acts
    fault    something is wrong: damping command until the cause is gone and, where asked for, an operator enables again
"""

from __future__ import annotations

from enum import Enum

REARM = ("auto", "manual")
NO_DESCRIPTION = "waiting for a robot description"
NEW_DESCRIPTION = "new robot description; waiting for its policy"
NOT_ACTIVE = "not active"


class Mode(str, Enum):
    """What the controller does while its lifecycle state is active."""

    STANDBY = "standby"
    RUN = "run"
    FAULT = "fault"


class ControllerModes:
    """Mode, arming, emergency stop latch and which policy belongs to which description.

    With rearm `auto` a controller arms itself at start and stays armed over a swap; with `manual` every start, swap
    and fault needs `enable(True)`. `message` is the sentence shown to the operator; `policy_refused` says that the
    newest description's policy was refused and there is no other.
    """

    def __init__(self, rearm: str = "auto") -> None:
        if rearm not in REARM:
            raise ValueError(f"rearm is '{rearm}'; expected one of {REARM}")
        self.rearm = rearm
        self.mode = Mode.STANDBY
        self.armed = rearm == "auto"
        self.e_stop_latched = False
        self.description_sha256 = ""
        self.policy_sha256 = ""
        self.message = NO_DESCRIPTION
        self.policy_refused = False
        self._fault_clears_itself = False
        self._latch_origin = True

    @property
    def bound(self) -> bool:
        """True while the policy at hand was generated for the newest description."""
        return bool(self.policy_sha256) and self.policy_sha256 == self.description_sha256

    @property
    def about_to_run(self) -> bool:
        """True while an operator has enabled and no state has come since."""
        return self.rearm == "manual" and self.armed and self.mode is Mode.STANDBY

    def description(self, sha256: str) -> bool:
        """A description arrived; True if it is a new one, which drops the policy and ends run."""
        if sha256 == self.description_sha256:
            return False
        self.description_sha256 = sha256
        self.policy_sha256 = ""
        self.policy_refused = False
        self._latch_origin = True
        if self.rearm == "manual":
            self.armed = False
        if not self.e_stop_latched:
            self._go(Mode.STANDBY, NEW_DESCRIPTION)
        return True

    def bind(self, sha256: str) -> bool:
        """A checked policy for description `sha256` is ready; False (and no change) if it is for another one.

        One that takes the place of another, as a second generator sends it, is a swap as well.
        """
        if sha256 != self.description_sha256:
            return False
        if self.rearm == "manual":
            self.armed = False
            if self.mode is Mode.RUN:
                self._go(Mode.STANDBY, "")
        self.policy_sha256 = sha256
        self.policy_refused = False
        self._latch_origin = True
        if self.mode is Mode.STANDBY:
            self.message = self._ready
        return True

    @property
    def _ready(self) -> str:
        """The sentence while a policy is at hand and does not act."""
        return "policy ready" if self.armed else "policy ready; call ~/enable to run"

    def refuse(self, sentence: str) -> None:
        """The policy for the newest description was refused; one that is bound already stays."""
        if not self.bound:
            self.message, self.policy_refused = sentence, True

    def state_arrived(self) -> bool:
        """A valid state is there: enter run where allowed; True if the policy starts afresh with this state."""
        if self.e_stop_latched or not self.armed or not self.bound:
            return False
        if self.mode is Mode.FAULT and not self._fault_clears_itself:
            return False
        if self.mode is not Mode.RUN:
            self._go(Mode.RUN, "running")
        afresh, self._latch_origin = self._latch_origin, False
        return afresh

    def restart(self) -> None:
        """The next state in run starts the policy afresh, as after a jump of the robot's clock."""
        self._latch_origin = True

    def fault(self, sentence: str, clears_itself: bool = False) -> None:
        """Leave run. With rearm `auto` a fault that clears itself ends with the next valid state, any other one with
        `enable(True)` or a new description; with `manual` every fault needs `enable(True)`.
        """
        if self.e_stop_latched:
            return
        self._fault_clears_itself = clears_itself and self.rearm == "auto"
        if self.rearm == "manual":
            self.armed = False
        self._go(Mode.FAULT, sentence)

    def enable(self, wanted: bool) -> tuple[bool, str]:
        """Answer the ~/enable service: (success, sentence)."""
        if not wanted:
            self.armed = False
            if not self.e_stop_latched:
                self._go(Mode.STANDBY, "disabled by ~/enable")
                return True, "standby"
            return True, "disabled; the emergency stop stays latched"
        if self.e_stop_latched:
            return False, "the emergency stop is latched; call ~/e_stop_reset first"
        if not self.bound:
            return False, "there is no policy for the current robot description"
        if self.mode is not Mode.RUN:
            self.armed = True
            self._latch_origin = True
            self._go(Mode.STANDBY, "enabled; runs with the next state")
        return True, "enabled"

    def e_stop(self, source: str) -> bool:
        """Latch the emergency stop; True if it was not latched before."""
        first = not self.e_stop_latched
        self.e_stop_latched = True
        self.armed = False
        if first:
            self._go(Mode.FAULT, f"emergency stop by {source}; call ~/e_stop_reset, then ~/enable")
        return first

    def e_stop_reset(self) -> tuple[bool, str]:
        """Answer the ~/e_stop_reset service; never enables."""
        if not self.e_stop_latched:
            return True, "the emergency stop was not latched"
        self.e_stop_latched = False
        self._go(Mode.STANDBY, "emergency stop reset; call ~/enable to run")
        return True, "reset; call ~/enable to run"

    def enter_active(self) -> None:
        """The lifecycle state active begins: say what is missing before run."""
        if self.message == NOT_ACTIVE:
            self.message = self._ready if self.bound else (
                NEW_DESCRIPTION if self.description_sha256 else NO_DESCRIPTION)

    def leave_active(self) -> None:
        """The lifecycle state active ends: back to standby; `manual` needs arming again."""
        self._latch_origin = True
        if self.rearm == "manual":
            self.armed = False
        if not self.e_stop_latched:
            self._go(Mode.STANDBY, NOT_ACTIVE)

    def _go(self, mode: Mode, message: str) -> None:
        """Take a mode and its sentence."""
        self.mode = mode
        self.message = message
