"""Memory and processor time of the controller's process at its rate, beside a bare node with the same subscriptions."""

from __future__ import annotations

import time

from hd_controller.benchmark.policy_copy import controller_arguments, policy_file
from hd_controller.benchmark.processes import CONTROLLER, PROBE, Program, own_domain
from hd_controller.benchmark.report import Row
from hd_controller.benchmark.robot_driver import RobotDriver
from hd_controller.policy_bundle import PolicyBundle

GROUP = "footprint"
RATE_HZ, START_TIMEOUT_S, WARM_UP_S = 50.0, 60.0, 5.0
MEMORY_AT_MOST_MB, PROCESSOR_AT_MOST = 150.0, 1.5


def rows(policy: PolicyBundle, seconds: float) -> list[Row]:
    """All three programs receive the same messages at the same time."""
    domain = own_domain()
    with (RobotDriver(policy, domain) as driver, policy_file(policy, RATE_HZ) as file,
          Program(CONTROLLER, controller_arguments(file, RATE_HZ), domain) as controller,
          Program(PROBE, [], domain) as bare, Program(PROBE, ["--echo"], domain) as echo,
          Program(PROBE, ["--executor", "single"], domain) as default):
        programs = {"controller": controller, "bare node": bare, "bare node that echoes a command": echo,
                    "bare node with rclpy's default executor": default}
        driver.drive_until(lambda: controller.check() or driver.timings, RATE_HZ, START_TIMEOUT_S,
                           "the controller's first timing")
        driver.drive(RATE_HZ, WARM_UP_S)
        began_s = time.monotonic()
        used_s = {name: -program.processor_s() for name, program in programs.items()}
        driver.drive(RATE_HZ, seconds)
        took_s = time.monotonic() - began_s
        for name, program in programs.items():
            program.check()
            used_s[name] += program.processor_s()
        memory_mb = {name: program.resident_mb() for name, program in programs.items()}
    how = f"states at {RATE_HZ:g} Hz for {seconds:g} s, all programs at once; /proc/PID/task/*/schedstat"
    found = [Row(GROUP, f"{name}, resident memory", memory_mb[name], "MB", "at the end; /proc/PID/statm",
                 at_most=MEMORY_AT_MOST_MB if program is controller else None) for name, program in programs.items()]
    found += [Row(GROUP, f"{name}, processor", 100 * used_s[name] / took_s, "% core", how) for name in programs]
    ratios = {name: used_s["controller"] / used_s[name] for name in programs if name != "controller"}
    return [*found, Row(GROUP, "processor, controller / bare node", ratios.pop("bare node"), "x", how,
                        at_most=PROCESSOR_AT_MOST),
            *(Row(GROUP, f"processor, controller / {name}", ratio, "x", how) for name, ratio in ratios.items())]
