"""From a URDF text to its policy: in this process, and through a warm generator node."""

from __future__ import annotations

import time

from std_msgs.msg import String

from hd_controller.benchmark.processes import GENERATOR, Program, own_domain
from hd_controller.benchmark.report import Row, quantiles
from hd_controller.benchmark.robot import LIMBS, twelve_limb_robot
from hd_controller.benchmark.robot_driver import RobotDriver
from hd_controller.benchmark.stopwatch import timed
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.urdf_writer import write_urdf

GROUP = "generation"
AT_MOST_MS, START_TIMEOUT_S, ANSWER_TIMEOUT_S = 60.0, 60.0, 10.0
PAUSE_S = 0.1


def function_rows(generator: GeneratorBundle, rounds: int) -> list[Row]:
    """The function alone."""
    text = write_urdf(twelve_limb_robot())
    times = quantiles(timed({"": lambda: generate_policy(text, generator)}, rounds)[""])
    return [Row(GROUP, "URDF text to policy, p50", times["p50"] / 1e3, "ms",
                f"{rounds} calls of the function, {LIMBS} limbs")]


def node_rows(policy: PolicyBundle, generator_folder: str, rounds: int) -> list[Row]:
    """Through the node: description published to policy received; every description is a new one."""
    domain = own_domain()
    arguments = ["--ros-args", "--log-level", "error", "-p", f"generator:={generator_folder}"]
    times_ms = []
    with Program(GENERATOR, arguments, domain) as node, RobotDriver(policy, domain) as driver:
        for index in range(rounds + 1):
            text = write_urdf(twelve_limb_robot(f"twelve_limbs_{index}"))
            driver.policies.clear()
            sent_s = time.monotonic()
            driver.description.publish(String(data=text))
            wait_s = ANSWER_TIMEOUT_S if index else START_TIMEOUT_S
            driver.wait_for(lambda: node.check() or driver.policies, wait_s, "a generated policy")
            if index:  # the first meets a node that is still starting
                times_ms.append(1e3 * (driver.policies[-1][0] - sent_s))
            driver.receive_until(time.monotonic() + PAUSE_S)
    found = quantiles(times_ms)
    how = f"{rounds} descriptions of {LIMBS} limbs; published to received, warm node in a process of its own"
    return [Row(GROUP, "published URDF to received policy, p50", found["p50"], "ms", how, at_most=AT_MOST_MS),
            Row(GROUP, "published URDF to received policy, max", found["max"], "ms", how)]
