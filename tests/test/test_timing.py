"""The controller's timing as its operator sees it, and its real-time parameters."""

import os
from pathlib import Path

import pytest

CORE = 0


def _run(system, robots, **parameters: object):
    controller = system.start("controller_node", **parameters)
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node")
    system.start("description_node", robot=robots.file("quad"))
    return controller


@pytest.mark.integration
def test_timing_is_published_and_shown_in_diagnostics(system, robots) -> None:
    """Histograms count the steps that the status counts; a swap begins them anew."""
    from hd_controller import qos
    from hd_msgs.msg import ControllerTiming
    from hd_system_tests.probe import Probe

    _run(system, robots)
    with Probe(system.domain) as probe:
        timings: list[ControllerTiming] = []
        probe.node.create_subscription(ControllerTiming, "timing", timings.append, qos.latched())
        probe.spin_until(lambda: timings and sum(timings[-1].step_time.counts) >= 100, 40, "100 timed steps")
        last = timings[-1]
        steps = sum(last.step_time.counts)
        assert sum(last.input_age.counts) == steps and sum(last.period_error.counts) == steps - 1
        assert last.control_period_s == 0.02 and 0 < last.step_time.max_s < 1
        assert len(last.step_time.counts) == len(last.step_time.upper_bounds_s) + 1
        assert last.input_age.max_s >= min(last.step_time.max_s, 1e-5)
        probe.spin_until(lambda: "controller_node" in probe.values, 10, "diagnostics of the controller")
        p50, p99, longest = map(float, probe.values["controller_node"]["step_time_ms_p50_p99_max"].split(" / "))
        assert 0 < p50 <= p99 <= longest
        probe.publish_description(robots.texts["tripod"])
        probe.spin_until(lambda: sum(timings[-1].step_time.counts) < steps, 10, "counting began anew")


@pytest.mark.integration
def test_real_time_wishes_are_answered_in_one_line_each_and_the_robot_runs(system, robots) -> None:
    """Granted or not, depending on this machine's limits: a line for each, and control goes on."""
    from hd_system_tests.probe import Probe

    controller = _run(system, robots, rt_priority=20, lock_memory=True, cpu_cores=CORE,
                      cpu_dma_latency=0)
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 40, "robot runs")
    lines = controller.output.splitlines()
    for word in ("rt_priority 20|SCHED_FIFO 20", "memory is locked|lock_memory", "run on core 0|cpu_cores 0",
                 "no core sleeps|cpu_dma_latency 0"):
        assert sum(any(part in line for part in word.split("|")) for line in lines) == 1, (word, lines)


@pytest.mark.integration
def test_the_threads_of_the_timers_are_among_the_control_threads(system) -> None:
    """The events executor starts them late; only Python's threads for policies and for signals are left out."""
    from hd_system_tests.probe import Probe

    controller = system.start("controller_node", trigger="steady_clock", rt_priority=1)
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: "priority" in controller.output or "SCHED_FIFO" in controller.output, 30, "an answer")
        if "SCHED_FIFO" not in controller.output:
            pytest.skip("needs the permission to use real-time priority")
        probe.values.clear()
        probe.spin_until(lambda: "controller_node" in probe.values, 30, "diagnostics, which a timer sends")
    threads = [int(task.name) for task in Path(f"/proc/{controller.process.pid}/task").iterdir()]
    assert [os.sched_getscheduler(thread) for thread in threads].count(os.SCHED_OTHER) == 2


@pytest.mark.integration
@pytest.mark.parametrize(("parameters", "word"), [({"rt_priority": 100}, "rt_priority is 100"),
                                                  ({"cpu_cores": "fast"}, "cpu_cores is 'fast'")])
def test_impossible_wishes_end_in_one_line(system, parameters: dict, word: str) -> None:
    """Values that can never be right end the node at once."""
    controller = system.start("controller_node", **parameters)
    assert controller.wait(20) == 1
    assert word in controller.output and "Traceback" not in controller.output
