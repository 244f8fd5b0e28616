"""Nodes that join late, in every order, and nodes that cannot write any log."""

import itertools
import resource
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from hd_system_tests.fault_bench import DEADLINE_S, MAIN, NODES, RENAMED, FaultBench, Setting
from hd_system_tests.processes import RosSystem

ORDERS = list(itertools.permutations(NODES))
LOG_BYTES = 4096


def _bench(system: RosSystem, robots, log: Path | None = None) -> FaultBench:
    return FaultBench(system, robots.texts, robots.bodies, robots.generator, Setting(), log=log)


def _joins_late(system: RosSystem, robots, order: tuple[str, ...]) -> None:
    """The description is there first; each node starts when the one before has been heard of; then the robot moves."""
    with _bench(system, robots) as bench:
        bench.describe(MAIN)
        for name in order:
            bench.start(name)
            bench.probe.spin_until(lambda name=name: f"{name}_node" in bench.probe.values, DEADLINE_S, f"{name} is up")
        bench.drives(what=f"started in the order {', '.join(order)}")
        bench.unharmed()


@pytest.mark.integration
def test_late_controller(system, robots) -> None:
    """The controller comes last: description and policy are long gone over the wire."""
    _joins_late(system, robots, ("bridge", "generator", "controller"))


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_late_nodes(system, robots, order: tuple[str, ...]) -> None:
    """Every order."""
    _joins_late(system, robots, order)


@pytest.mark.integration
def test_full_disk(system, robots) -> None:
    """Standard output is a full device and log files cannot grow: faults that are logged and swaps change nothing."""
    with _bench(system, robots, Path("/dev/full")) as bench:
        bench.start(*NODES)
        bench.describe(MAIN)
        bench.drives()
        for name in NODES:
            resource.prlimit(bench.nodes[name].process.pid, resource.RLIMIT_FSIZE, (LOG_BYTES, LOG_BYTES))
        for robot in (RENAMED, MAIN, RENAMED, MAIN):
            with bench.faults(not_finite=0.2, foreign=True):
                bench.let_pass(50)
            bench.probe.publish_description("no robot at all")
            bench.let_pass(25)
            bench.describe(robot)
            bench.drives(robot)
        bench.unharmed()
