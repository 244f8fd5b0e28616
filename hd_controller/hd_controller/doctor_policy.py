"""Doctor: generator bundle, robot and policy, and whether this computer runs that policy in time."""

import time

import numpy as np

from hd_controller.control_loop import ControlLoop
from hd_controller.doctor_findings import MISSING, WARNING, Finding, good, judged
from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.kinematics import RobotState
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.policy_source import policy_of
from hd_controller.shipped_files import generator_folder

AREA = "policy"
STEP_SHARE = 0.2
"""Share of the control period that a step may take: the rest belongs to messages and other programs."""


def generator(name: str) -> list[Finding]:
    """The generator bundle: readable, with its checksum, version and provenance."""
    try:
        bundle = GeneratorBundle.load(generator_folder(name))
    except HdError as problem:
        return [Finding(AREA, MISSING, str(problem), "give the folder of a bundle with --generator")]
    return [good(AREA, f"generator {bundle.generator_id[:12]}, control period {bundle.control_period_s:g} s")]


def robot(source: str, generator_name: str, seconds: float) -> tuple[list[Finding], PolicyBundle | None]:
    """The policy of the robot, and the measured rate of its control loop; None where there is no policy."""
    began = time.perf_counter()
    try:
        bundle = policy_of(source, generator_name)
    except HdError as problem:
        return [Finding(AREA, MISSING, str(problem), "give a robot that the reader accepts with --robot")], None
    took_ms = (time.perf_counter() - began) * 1e3
    body = bundle.morphology
    outside = " ".join(map(str, bundle.coverage.get("outside", [])[:2]))
    findings = [
        good(AREA, f"robot '{body.name}' ({bundle.robot_id[:12]}): {len(body.limbs)} limbs, {len(bundle.joint_names)} "
                   f"joints, {body.total_mass:.3g} kg; policy after {took_ms:.0f} ms"),
        judged(AREA, bundle.in_distribution, "the robot lies inside the trained range" if bundle.in_distribution else
               f"the robot lies outside the trained range: {outside}",
               "its policy is activated only with allow_out_of_distribution"),
    ]
    return [*findings, *rate(bundle, seconds)], bundle


def rate(bundle: PolicyBundle, seconds: float) -> list[Finding]:
    """Runs the control loop at the policy's rate, as the controller does on hardware, without ROS."""
    period = bundle.control_period_s
    lateness, durations = _measured(bundle, max(10, round(seconds / period)))
    p50, p99 = np.percentile(durations, [50, 99]) * 1e3
    late = np.percentile(lateness, 99) * 1e3
    missed = int((np.asarray(lateness) > period).sum())
    text = (f"{len(durations)} control steps at {1 / period:.0f} Hz: step p50 {p50:.2f} ms, p99 {p99:.2f} ms; woken "
            f"p99 {late:.2f} ms late; {missed} periods missed")
    in_time = p99 <= STEP_SHARE * period * 1e3 and not missed
    advice = "other programs load this computer, or it is too slow; ros2 run hd_controller bench says more"
    return [judged(AREA, in_time, text, advice, MISSING if p50 > period * 1e3 else WARNING)]


def _measured(bundle: PolicyBundle, steps: int) -> tuple[list[float], list[float]]:
    """Lateness of each wake-up and duration of each step [s], on absolute deadlines."""
    loop = ControlLoop(bundle)
    joints = len(bundle.joint_names)
    state = RobotState(0, np.array([0, 0, bundle.morphology.standing_height]), np.array([1.0, 0, 0, 0]), np.zeros(3),
                       np.zeros(3), bundle.morphology.rest_positions, np.zeros(joints))
    loop.reset(state)
    loop.step(state)
    lateness, durations = [], []
    deadline = time.monotonic()
    for _ in range(steps):
        deadline += bundle.control_period_s
        time.sleep(max(0.0, deadline - time.monotonic()))
        woken = time.monotonic()
        loop.step(state)
        lateness.append(woken - deadline)
        durations.append(time.monotonic() - woken)
        deadline = max(deadline, woken - bundle.control_period_s)
    return lateness, durations
