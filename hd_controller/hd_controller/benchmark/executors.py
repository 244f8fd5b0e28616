"""Which executor, and a timer or a thread of its own for the tick: the measurement behind the nodes' choice."""

from __future__ import annotations

import json

from hd_controller.benchmark.processes import PROBE, Program, all_cores_busy, own_domain
from hd_controller.benchmark.report import Row, quantiles
from hd_controller.benchmark.robot_driver import RobotDriver
from hd_controller.errors import HdError
from hd_controller.policy_bundle import PolicyBundle

GROUP = "executors"
STATE_RATE_HZ, TICK_RATE_HZ = 200.0, 50.0
START_S = 3.0
VARIANTS = tuple((executor, tick) for executor in ("events", "single") for tick in ("timer", "thread"))


def rows(policy: PolicyBundle, seconds: float) -> list[Row]:
    """Period error and processor time of each variant, idle and with all cores busy."""
    found = []
    for busy in (False, True):
        for executor, tick in VARIANTS:
            errors, processor = _measured(policy, executor, tick, busy, seconds)
            label = f"{executor} executor, tick by {tick}, {'cores busy' if busy else 'idle'}"
            how = (f"bare node, states at {STATE_RATE_HZ:g} Hz on two topics, ticks at {TICK_RATE_HZ:g} Hz for "
                   f"{seconds:g} s")
            values = quantiles(errors)
            found += [Row(GROUP, f"{label}, period error {name}", 1e3 * values[name], "ms", how) for name in values]
            found.append(Row(GROUP, f"{label}, processor", 100 * processor, "% core", how))
    return found


def _measured(policy: PolicyBundle, executor: str, tick: str, busy: bool,
              seconds: float) -> tuple[list[float], float]:
    """Period errors [s] and the share of a core."""
    domain = own_domain()
    arguments = ["--executor", executor, "--tick", tick, "--rate", str(TICK_RATE_HZ)]
    with all_cores_busy(busy), RobotDriver(policy, domain) as driver, Program(PROBE, arguments, domain) as node:
        driver.drive(STATE_RATE_HZ, START_S)
        node.check()
        used_s = node.processor_s()
        driver.drive(STATE_RATE_HZ, seconds)
        used_s = node.processor_s() - used_s
        node.end()
        errors = json.loads(node.result(1.0))["errors"]
    if not errors:
        raise HdError(f"{PROBE} did not tick within {START_S + seconds:g} s: this machine is too busy")
    return errors[-int(seconds * TICK_RATE_HZ):], used_s / seconds
