"""How punctual the controller's periods are, idle and with every core busy, beside a bare sleep loop."""

from __future__ import annotations

import json
from array import array

from hd_controller.benchmark.policy_copy import controller_arguments, policy_file
from hd_controller.benchmark.processes import CONTROLLER, SLEEP_LOOP, Program, all_cores_busy, own_domain
from hd_controller.benchmark.report import Row, quantiles
from hd_controller.benchmark.robot_driver import RobotDriver
from hd_controller.histogram import quantile_s
from hd_controller.policy_bundle import PolicyBundle
from hd_msgs.msg import ControllerTiming

GROUP = "jitter"
RATES_HZ = (50.0, 200.0, 500.0)
START_TIMEOUT_S, END_TIMEOUT_S, WARM_UP_S = 60.0, 20.0, 1.5
STATE_RATE_HZ = 100.0
RT_PRIORITY = 50


def rows(policy: PolicyBundle, seconds: float) -> list[Row]:
    """Each rate idle, loaded, and loaded with real-time priority."""
    found = []
    for busy, priority in ((False, 0), (True, 0), (True, RT_PRIORITY)):
        for rate_hz in RATES_HZ:
            found += _rows_of(policy, rate_hz, busy, priority, seconds)
    return found


def _rows_of(policy: PolicyBundle, rate_hz: float, busy: bool, priority: int, seconds: float) -> list[Row]:
    """The controller and the sleep loop that ran at the same time."""
    controller, steps, sleeper = measure(policy, rate_hz, busy, priority, seconds)
    label = f"{rate_hz:g} Hz, {'cores busy' if busy else 'idle'}"
    how = f"|period - {1e3 / rate_hz:g} ms| of {steps} steps by the controller's own histogram, steady clock trigger"
    named = f"{label}, rt_priority {priority}" if priority else label
    found = [Row(GROUP, f"{named}, {name}", 1e3 * value, "ms", how) for name, value in controller.items()]
    how = "a loop that only sleeps, in a process of its own at the same time, ordinary priority"
    return [*found, *(Row(GROUP, f"{named}, sleep loop, {name}", 1e3 * sleeper[name], "ms", how)
                      for name in ("p50", "p99", "max"))]


def measure(policy: PolicyBundle, rate_hz: float, busy: bool, priority: int,
            seconds: float) -> tuple[dict[str, float], int, dict[str, float]]:
    """p50, p99 and max [s] of the controller's period error, the number of its steps, the same of the sleep loop."""
    domain = own_domain()
    parameters = {"trigger": "steady_clock", "rt_priority": priority}
    with (all_cores_busy(busy), policy_file(policy, rate_hz) as file, RobotDriver(policy, domain) as driver,
          Program(CONTROLLER, controller_arguments(file, rate_hz, **parameters), domain) as controller):
        driver.drive_until(lambda: controller.check() or driver.timings, STATE_RATE_HZ, START_TIMEOUT_S,
                           "the controller's first timing")
        driver.drive(STATE_RATE_HZ, WARM_UP_S)
        before = driver.timings[-1]
        with Program(SLEEP_LOOP, [str(rate_hz), str(seconds)], domain) as sleeper:
            driver.drive_until(lambda: sleeper.process.poll() is not None, STATE_RATE_HZ, seconds + END_TIMEOUT_S,
                               "the end of the sleep loop")
            errors = json.loads(sleeper.result(END_TIMEOUT_S))
        driver.drive(STATE_RATE_HZ, 1.0)  # the newest timing is up to a second old
        controller.check()
        found, steps = period_quantiles(before, driver.timings[-1])
        return found, steps, quantiles(errors)


def period_quantiles(before: ControllerTiming, after: ControllerTiming) -> tuple[dict[str, float], int]:
    """p50, p99 and max of the period errors [s] counted between two timings, as upper bounds of bins; their number."""
    pairs = zip(after.period_error.counts, before.period_error.counts, strict=True)
    counts = array("Q", [now - then for now, then in pairs])
    longest_s = after.period_error.max_s
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: quantile_s(counts, share, longest_s) for name, share in shares.items()}, sum(counts)
