"""Ten minutes of random faults: no unsafe command, no crash, no leak, and the robot is driven again every time.

HD_SOAK_S sets the seconds, HD_SOAK_SEED the seed; a seed repeats the same faults in the same order.
"""

import os
import random
import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from hd_system_tests.fault_bench import MAIN, NODES, FaultBench, Setting
from hd_system_tests.soak import Resources, SoakReport, random_fault, warm_up

KILLING_SHARE = 0.4
"""Nodes are killed only in this share of the time, so that a leak has the rest to show in all of them."""
GROWTH = {"memory_mb": 20.0, "files": 8, "threads": 4}


@pytest.mark.slow
@pytest.mark.integration
def test_soak(system, robots) -> None:
    """Random faults and swaps, some at once; every few seconds all faults end and the policy must drive."""
    seconds, seed = float(os.environ.get("HD_SOAK_S", "600")), int(os.environ.get("HD_SOAK_SEED", "1"))
    choice = random.Random(seed)
    report = SoakReport(seed)
    with FaultBench(system, robots.texts, robots.bodies, robots.generator, Setting(), seed) as bench:
        bench.start(*NODES)
        bench.describe(MAIN)
        bench.drives(what="at the start")
        resources, began_s = None, time.monotonic()
        while time.monotonic() < began_s + seconds:
            kills = time.monotonic() < began_s + KILLING_SHARE * seconds
            if not kills and resources is None:
                warm_up(bench)
                resources = Resources(bench)
                report.robot = MAIN
                bench.describe(MAIN)
                bench.drives(what="after the warm-up")
            robot = random_fault(bench, choice, report, kills)
            report.recovered(bench.drives(robot, what=f"after {report.newest}"))
            report.add(bench.judge)
        assert resources is not None
        warm_up(bench)
        report.add(bench.judge)
        growth = resources.growth()
        print(report.text(bench, growth))
        bench.unharmed()
        assert report.unsafe == 0, "\n".join(report.examples)
        for node, grown in growth.items():
            assert all(grown[what] <= allowed for what, allowed in GROWTH.items()), (node, growth)
