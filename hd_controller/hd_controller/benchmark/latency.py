"""From a state sent by one process to the command received back from the controller's process."""

from __future__ import annotations

from hd_controller.benchmark.policy_copy import controller_arguments, policy_file
from hd_controller.benchmark.processes import CONTROLLER, PROBE, Program, own_domain
from hd_controller.benchmark.report import Row, quantiles
from hd_controller.benchmark.robot_driver import RobotDriver
from hd_controller.policy_bundle import PolicyBundle

GROUP = "latency"
RATE_HZ, START_TIMEOUT_S, WARM_UP_S = 50.0, 60.0, 1.0


def rows(policy: PolicyBundle, seconds: float) -> list[Row]:
    """The controller, and a bare node that answers each state with a constant command."""
    with policy_file(policy, RATE_HZ) as file:
        controller = _measured(policy, CONTROLLER, controller_arguments(file, RATE_HZ), seconds)
    echo = _measured(policy, PROBE, ["--echo"], seconds)
    how = (f"states at {RATE_HZ:g} Hz for {seconds:g} s; from before publishing odom to the command's callback, two "
           "processes")
    found = [Row(GROUP, f"state to command, {name}", 1e3 * value, "ms", how)
             for name, value in quantiles(controller).items()]
    return [*found, *(Row(GROUP, f"bare echo node, {name}", 1e3 * value, "ms", how)
                      for name, value in quantiles(echo).items())]


def _measured(policy: PolicyBundle, module: str, arguments: list[str], seconds: float) -> list[float]:
    """Latencies [s] of one answering program."""
    domain = own_domain()
    with Program(module, arguments, domain) as program, RobotDriver(policy, domain) as driver:
        driver.drive_until(lambda: program.check() or driver.latencies_s, RATE_HZ, START_TIMEOUT_S,
                           f"the first command of {module}")
        driver.drive(RATE_HZ, WARM_UP_S)
        driver.latencies_s.clear()
        driver.drive(RATE_HZ, seconds)
        program.check()
        return list(driver.latencies_s)
