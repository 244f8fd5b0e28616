"""Faults injected between the real nodes, one by one: the commands stay safe and the robot is driven again."""

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from hd_system_tests.domains import own_domain
from hd_system_tests.fault_bench import NODES, FaultBench, Setting
from hd_system_tests.fault_scenarios import SCENARIOS, run_scenario
from hd_system_tests.processes import RosSystem

QUICK = ("loss", "delay", "frozen_joints", "not_finite", "foreign", "killed_bridge", "swap_storm", "policy_first",
         "combined")
SETTINGS = {"hardware": Setting(), "hardware_clock": Setting(trigger="steady_clock"),
            "benchmark": Setting(profile="benchmark")}


def _bench(setting: Setting, robots, folder):
    """Nodes that serve all scenarios of one setting."""
    with (own_domain() as domain, RosSystem(folder, domain) as system,
          FaultBench(system, robots.texts, robots.bodies, robots.generator, setting) as bench):
        bench.start(*NODES)
        yield bench


@pytest.fixture(scope="module")
def quick_bench(robots, tmp_path_factory):
    """All guards on, an answer to each state."""
    yield from _bench(SETTINGS["hardware"], robots, tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="module", params=list(SETTINGS))
def matrix_bench(request, robots, tmp_path_factory):
    """Every setting in turn."""
    yield from _bench(SETTINGS[request.param], robots, tmp_path_factory.mktemp(request.param))


@pytest.mark.integration
@pytest.mark.parametrize("name", QUICK)
def test_faults(quick_bench, name: str) -> None:
    """The faults that matter most."""
    print(f"{name}: driven again after {run_scenario(quick_bench, name):.2f} s")


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("name", list(SCENARIOS))
def test_fault_matrix(matrix_bench, name: str) -> None:
    """Every fault in every setting."""
    print(f"{name}: driven again after {run_scenario(matrix_bench, name):.2f} s")
