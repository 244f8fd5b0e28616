"""What holds for every input: it is refused with the documented error, or gives a finite, bounded policy, in time."""

import resource
import time

import numpy as np

from hd_controller.controller import ControllerSettings, prepare_policy
from hd_controller.errors import HdError
from hd_controller.generator import policy_for
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.kinematics import RobotState
from hd_controller.morphology import Morphology
from hd_controller.policy_bundle import PolicyBundle

CPU_LIMIT_S = 5.0
"""Processor time for one input of at most some hundred kilobytes; typical inputs take milliseconds."""
MEMORY_LIMIT_BYTES = 600_000_000
"""Growth of the largest resident size over a whole run."""
SETTINGS = ControllerSettings(allow_out_of_distribution=True)


class Budget:
    """Watches processor time of each input and memory over all."""

    def __init__(self) -> None:
        self._memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self._began = time.process_time()

    def start(self) -> None:
        """A new input."""
        self._began = time.process_time()

    def check(self) -> None:
        """Fail where the input took too much."""
        took = time.process_time() - self._began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - self._memory
        assert took <= CPU_LIMIT_S, f"{took:.1f} s of processor time"
        assert grown <= MEMORY_LIMIT_BYTES, f"{grown / 1e6:.0f} MB more"


def check_body(body: Morphology, generator: GeneratorBundle) -> None:
    """An accepted body gives a policy that a controller takes, and that one is finite and bounded; or HdError."""
    assert np.isfinite(body.total_mass) and np.isfinite(body.standing_height)
    bundle = policy_for(body, generator, "0" * 64, [])
    bundle.check()
    check_policy(bundle)


def check_policy(bundle: PolicyBundle) -> None:
    """Efforts of an accepted policy are finite and within the limits, for ordinary and for wild states."""
    loop = prepare_policy(bundle, SETTINGS).loop
    joints = len(bundle.joint_names)
    random = np.random.default_rng(0)
    for scale in (0.0, 1.0, 1e3):
        quaternion = random.normal(size=4)
        low, high = bundle.morphology.joint_ranges.T
        state = RobotState(0, random.normal(size=3) * scale, quaternion / np.linalg.norm(quaternion),
                           random.normal(size=3) * scale, random.normal(size=3) * scale,
                           random.uniform(low, high, joints), random.normal(size=joints) * scale)
        loop.reset(state)
        efforts = loop.step(state)
        assert np.isfinite(efforts).all(), f"efforts {efforts} at scale {scale:g}"
        assert (np.abs(efforts) <= bundle.effort_limits * (1 + 1e-6)).all()


def outcome(function, *arguments) -> str:
    """'accepted' or 'refused'; any other exception passes through. The sentence is one line of bounded length."""
    try:
        function(*arguments)
        return "accepted"
    except HdError as error:
        sentence = str(error)
        assert 10 < len(sentence) <= 11_000 and sentence.isprintable(), repr(sentence[:3000])
        return "refused"
