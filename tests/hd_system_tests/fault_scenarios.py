"""One fault each: inject it, see that the commands are safe in time, take it away, see that the policy drives again.

Every scenario begins with a robot that is driven and ends so; no node is started again but those that it killed.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace

from std_msgs.msg import String

from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_system_tests.fault_bench import DEADLINE_S, FOREIGN, MAIN, RENAMED, FaultBench

STORM_RATE_HZ = 10
STORM_SWAPS = 30
HUGE = {
    "50 MB": "<robot>" + "x" * 50_000_000 + "</robot>",
    "2 MB of text": "<robot>" + "x" * 1_999_000 + "</robot>",
    "49 000 links": "<robot>" + "<link name='l'/>" * 49_000 + "</robot>",
    "100 000 deep": "<robot>" + "<a>" * 100_000 + "</a>" * 100_000 + "</robot>",
}


def loss(bench: FaultBench) -> None:
    """30 % of all states and commands are lost: the policy goes on where it may, nothing unsafe is sent."""
    with bench.faults(state_loss=0.3, command_loss=0.3) as onset:
        bench.let_pass(150)
        assert bench.judge.count("driving", answers_after=onset) > 10, bench.story(onset)


def silence(bench: FaultBench) -> None:
    """No state arrives any more."""
    with bench.faults(state_loss=1.0), bench.silence():
        bench.let_pass(10)


def lost_commands(bench: FaultBench) -> None:
    """No command arrives any more: the watchdog on the robot's side ends the last one."""
    before = bench.guard("bridge_node", "expired_commands")
    with bench.faults(command_loss=1.0):
        bench.probe.spin_until(lambda: bench.guard("bridge_node", "expired_commands") > before, DEADLINE_S,
                               "the robot's watchdog acts")


def delay(bench: FaultBench) -> None:
    """Everything comes 200 ms late: with all guards on such states are not used, and the robot takes no old command."""
    before, expired = bench.guard("controller_node", "guard.delay"), bench.guard("bridge_node", "expired_commands")
    with bench.faults(delay_s=0.2) as onset:
        if bench.setting.guarded:
            bench.stays_safe(onset, 0.0)
            bench.trips("delay", before)
        else:
            bench.probe.spin_until(lambda: bench.guard("bridge_node", "expired_commands") > expired, DEADLINE_S,
                                   "the robot's watchdog acts")


def reorder(bench: FaultBench) -> None:
    """Messages overtake each other: the stamps that the policy answers never go back."""
    before = bench.guard("controller_node", "guard.out_of_order")
    with bench.faults(reorder_s=0.045) as onset:
        bench.let_pass(100)
        if bench.setting.guarded:
            bench.trips("out_of_order", before)
    driven = [one.answers for one in bench.judge.seen if one.kind == "driving" and (one.answers or 0) > onset]
    assert driven == sorted(driven)


def duplicate(bench: FaultBench) -> None:
    """Every message comes twice."""
    before = bench.guard("controller_node", "guard.duplicated")
    with bench.faults(duplicate=1.0, reorder_s=0.01):
        bench.let_pass(75)
        if bench.setting.guarded:
            bench.trips("duplicated", before)


def frozen(sensors: str) -> Callable[[FaultBench], None]:
    """Sensors that show the same numbers for ever."""
    def scenario(bench: FaultBench) -> None:
        before = bench.guard("controller_node", "guard.frozen")
        with bench.faults(frozen=sensors) as onset:
            if bench.setting.guarded:
                bench.stays_safe(onset, bench.setting.guards.frozen_timeout)
                bench.trips("frozen", before)
            else:
                bench.let_pass(75)
    return scenario


def not_finite(bench: FaultBench) -> None:
    """Every joint state has a position that is no number: zero at once."""
    before = bench.guard("controller_node", "guard.finite")
    with bench.faults(not_finite=1.0) as onset:
        bench.stays_safe(onset, 0.0)
        bench.trips("finite", before)


def sometimes_not_finite(bench: FaultBench) -> None:
    """Every third joint state has one: none is used, the policy goes on between them."""
    before = bench.guard("controller_node", "guard.finite")
    with bench.faults(not_finite=0.3):
        bench.let_pass(75)
        bench.trips("finite", before)


def wrong_robot(fault: str) -> Callable[[FaultBench], None]:
    """Joint states of another robot: by its name tag, or by the names of its joints."""
    def scenario(bench: FaultBench) -> None:
        before = bench.guard("controller_node", "guard.missing")
        with bench.faults(**{fault: True}) as onset:
            bench.stays_safe(onset, 0.0)
            bench.trips("missing", before)
    return scenario


def clock_jump(seconds: float) -> Callable[[FaultBench], None]:
    """The clock of the stamps is set: the policy begins afresh with the new one."""
    def scenario(bench: FaultBench) -> None:
        before = bench.guard("controller_node", "guard.clock_jump")
        with bench.faults(clock_shift_s=seconds):
            if bench.setting.guarded:
                bench.trips("clock_jump", before)
            bench.drives()
    return scenario


def killed_generator(bench: FaultBench) -> None:
    """The policy at hand goes on; a new robot is not driven before a generator is there."""
    bench.kill("generator")
    bench.drives(what="the policy at hand goes on")
    onset = bench.judge.period
    bench.describe(RENAMED)
    bench.let_pass(100)
    assert not bench.judge.count("driving", bench.bodies[RENAMED].robot_id, onset)
    bench.start("generator")
    bench.drives(RENAMED)
    bench.describe(MAIN)


def killed_bridge(bench: FaultBench) -> None:
    """The robot is gone and comes again, its clock at zero."""
    with bench.silence():
        bench.kill("bridge")
    bench.start("bridge")


def killed_controller(bench: FaultBench) -> None:
    """Silence; the watchdog on the robot's side ends the last command. A late controller finds all it needs."""
    before = bench.guard("bridge_node", "expired_commands")
    bench.kill("controller")
    count = len(bench.judge.seen)
    bench.probe.spin_until(lambda: bench.guard("bridge_node", "expired_commands") > before, DEADLINE_S,
                           "the robot's watchdog acts")
    assert len(bench.judge.seen) <= count + 2
    bench.start("controller")


def stopped_controller(bench: FaultBench) -> None:
    """The controller stands still, as on a computer short of memory: afterwards it takes no old state for a new one."""
    controller = bench.nodes["controller"]
    for _ in range(3):
        controller.send(signal.SIGSTOP)
        bench.let_pass(50)
        controller.send(signal.SIGCONT)
        bench.drives(what="the controller goes on")


def swap_storm(bench: FaultBench) -> None:
    """Ten descriptions a second: each state is answered for its own robot, and the last robot is driven."""
    names = sorted(bench.texts)
    swapped = bench.judge.period
    for number in range(STORM_SWAPS):
        bench.describe(names[number % len(names)])
        bench.probe.spin_for(1 / STORM_RATE_HZ)
    bench.describe(FOREIGN)
    bench.drives(FOREIGN)
    assert bench.judge.period > swapped
    bench.describe(MAIN)


def huge_descriptions(bench: FaultBench) -> None:
    """Texts far too large are refused by every node; the next good one works."""
    rules = bench.judge.rules
    for kind, text in HUGE.items():
        # Such a text fills the connection: commands that were sent in time are heard late, and their age says nothing.
        bench.judge.rules = replace(rules, old_states_refused=False)
        refused = bench.guard("generator_node", "refused")
        bench.probe.description.publish(String(data=text))
        bench.probe.spin_until(lambda refused=refused: bench.guard("generator_node", "refused") > refused, DEADLINE_S,
                               f"refusal of {kind}")
        bench.describe(MAIN)
        bench.drives(what=f"after {kind}")
        bench.judge.rules = rules


def policy_first(bench: FaultBench) -> None:
    """The policy reaches the controller long before the description that it was made for."""
    with bench.faults(description_delay_s=0.5):
        bench.describe(RENAMED)
        bench.drives(RENAMED)
    bench.describe(MAIN)


def policy_late(bench: FaultBench) -> None:
    """Policies come when their robots have been replaced."""
    with bench.faults(policy_delay_s=0.7):
        for name in (RENAMED, FOREIGN, RENAMED, MAIN):
            bench.describe(name)
            bench.let_pass(round(0.5 / CONTROL_PERIOD_S))
        bench.drives()


def two_publishers(bench: FaultBench) -> None:
    """Two nodes publish descriptions in turn: the newest wins, the generator says that there are two."""
    with bench.second_publisher() as other:
        bench.probe.spin_until(lambda: other.get_subscription_count() >= 3, DEADLINE_S, "all nodes hear it")
        for _ in range(5):
            other.publish(String(data=bench.texts[FOREIGN]))
            bench.let_pass(15)
            bench.describe(MAIN)
            bench.let_pass(15)
        other.publish(String(data=bench.texts[FOREIGN]))
        bench.drives(FOREIGN)
    assert "several nodes publish robot_description" in bench.nodes["generator"].output
    bench.describe(MAIN)


def two_kept_descriptions(bench: FaultBench) -> None:
    """A bridge that starts late hears two kept descriptions in any order: it may take the wrong one, safely."""
    with bench.second_publisher() as other:
        other.publish(String(data=bench.texts[FOREIGN]))
        bench.drives(FOREIGN)
        bench.kill("bridge")
        bench.start("bridge")
        bench.probe.spin_until(lambda: "simulating robot" in bench.nodes["bridge"].output, DEADLINE_S, "a robot")
        bench.let_pass(50)
    bench.describe(RENAMED)
    bench.drives(RENAMED)
    bench.describe(MAIN)


def combined(bench: FaultBench) -> None:
    """Loss, delay, reordering, NaN, a clock that jumps and a swap at once."""
    with bench.faults(state_loss=0.3, command_loss=0.3, delay_s=0.05, reorder_s=0.05, duplicate=0.2, not_finite=0.1,
                      clock_shift_s=-3.0):
        bench.let_pass(50)
        bench.describe(RENAMED)
        bench.let_pass(50)
        bench.describe(MAIN)
        bench.let_pass(50)


SCENARIOS: dict[str, Callable[[FaultBench], None]] = {
    "loss": loss, "silence": silence, "lost_commands": lost_commands, "delay": delay, "reorder": reorder,
    "duplicate": duplicate, "frozen_joints": frozen("joints"), "frozen_torso": frozen("torso"),
    "frozen": frozen("both"), "not_finite": not_finite, "sometimes_not_finite": sometimes_not_finite,
    "foreign": wrong_robot("foreign"), "renamed": wrong_robot("renamed"), "clock_back": clock_jump(-5.0),
    "clock_forward": clock_jump(5.0), "killed_generator": killed_generator, "killed_bridge": killed_bridge,
    "killed_controller": killed_controller, "stopped_controller": stopped_controller,
    "swap_storm": swap_storm, "huge_descriptions": huge_descriptions, "policy_first": policy_first,
    "policy_late": policy_late, "two_publishers": two_publishers, "two_kept_descriptions": two_kept_descriptions,
    "combined": combined,
}


def run_scenario(bench: FaultBench, name: str) -> float:
    """Run one from a driven robot to a driven robot; returns the seconds that the recovery took."""
    bench.judge.forget()
    bench.describe(MAIN)
    bench.drives(what=f"before {name}")
    SCENARIOS[name](bench)
    took_s = bench.drives(what=f"after {name}")
    bench.unharmed()
    return took_s
