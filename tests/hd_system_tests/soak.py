"""What a soak of random faults draws, counts and reports."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from std_msgs.msg import String

from hd_system_tests.command_judge import CommandJudge
from hd_system_tests.fault_bench import DEADLINE_S, MAIN, FaultBench
from hd_system_tests.fault_scenarios import HUGE
from hd_system_tests.processes import NodeProcess

SHORTEST_PERIODS, LONGEST_PERIODS = 10, 120
MOST_AT_ONCE = 3
BAD_TEXTS = {
    "no robot at all": "not well-formed", "<robot name='empty'/>": "no <link>", HUGE["49 000 links"]: "49000 links"}
"""Descriptions that are refused, the largest last, and words of the sentences that say why."""
MESSAGE_FAULTS: dict[str, dict[str, object]] = {
    "loss": {"state_loss": 0.3, "command_loss": 0.3}, "silence": {"state_loss": 1.0},
    "lost commands": {"command_loss": 1.0}, "delay": {"delay_s": 0.2}, "reordering": {"reorder_s": 0.06},
    "duplicates": {"duplicate": 0.5}, "frozen joints": {"frozen": "joints"}, "frozen torso": {"frozen": "torso"},
    "frozen sensors": {"frozen": "both"}, "NaN": {"not_finite": 1.0}, "rare NaN": {"not_finite": 0.1},
    "wrong robot": {"foreign": True}, "wrong joints": {"renamed": True}, "clock back": {"clock_shift_s": -4.0},
    "clock forward": {"clock_shift_s": 4.0}, "late description": {"description_delay_s": 0.4},
    "late policy": {"policy_delay_s": 0.4},
}
EVENTS = ("swap", "swap", "storm", "bad description", "second publisher")
JUMPS = {"clock back", "clock forward"}
KILLS = ("killed generator", "killed bridge")


def random_fault(bench: FaultBench, choice: random.Random, report: SoakReport, kills: bool) -> str:
    """Inject up to `MOST_AT_ONCE` faults of the messages and often an event; returns the robot to be driven."""
    names = choice.sample(list(MESSAGE_FAULTS), choice.randint(0, MOST_AT_ONCE))
    event = choice.choice(EVENTS + KILLS if kills else EVENTS) if not names or choice.random() < 0.5 else ""
    report.begin([*names, event] if event else names)
    values = {key: value for name in names for key, value in MESSAGE_FAULTS[name].items()}
    robot = choice.choice(sorted(bench.texts))
    before, during = (choice.randint(SHORTEST_PERIODS, LONGEST_PERIODS) for _ in range(2))
    rules = bench.judge.rules
    if "delay" in names and (event or JUMPS & set(names)):
        # A delay that is there when a policy is bound or the clock is set looks usual to the controller, which knows
        # nothing of the robot's clock; the watchdog on the robot's side does.
        bench.judge.rules = replace(rules, old_states_refused=False)
    with bench.faults(**values):
        bench.let_pass(before)
        if event:
            _event(bench, choice, event)
            bench.probe.spin_for(0.02 * during)
    bench.let_pass(SHORTEST_PERIODS)
    bench.judge.rules = rules
    if event or choice.random() < 0.3:
        bench.describe(robot)
        report.robot = robot
    return report.robot


def _event(bench: FaultBench, choice: random.Random, event: str) -> None:
    """Something happens to descriptions or nodes."""
    names = sorted(bench.texts)
    if event in ("swap", "storm"):
        for _ in range(15 if event == "storm" else 1):
            bench.describe(choice.choice(names))
            bench.probe.spin_for(0.1)
    elif event == "bad description":
        bench.probe.description.publish(String(data=choice.choice(list(BAD_TEXTS))))
    elif event == "second publisher":
        with bench.second_publisher() as other:
            bench.probe.spin_for(0.5)
            other.publish(String(data=bench.texts[choice.choice(names)]))
            bench.probe.spin_for(0.5)
    else:
        node = event.removeprefix("killed ")
        bench.kill(node)
        bench.probe.spin_for(0.5)
        bench.start(node)


def warm_up(bench: FaultBench) -> None:
    """Let every node meet every robot and every bad text: memory is compared after the same work.

    A parsed text of 49 000 links makes a process 20 MB larger, once, until the allocator happens to give that back. So
    it is the last work, and both nodes that parse have done it.
    """
    for name in sorted(bench.texts):
        bench.describe(name)
        bench.drives(name)
    for text, words in BAD_TEXTS.items():
        seen = len(bench.probe.diagnostics)
        bench.probe.description.publish(String(data=text))
        for node in ("generator_node", "bridge_node"):
            bench.probe.spin_until(lambda node=node, words=words, seen=seen: any(
                name.endswith(node) and words in said for name, _, said in bench.probe.diagnostics[seen:]),
                DEADLINE_S, f"{node} refuses: {words}")


class Resources:
    """Memory, open files and threads of every node, counted from when this is made."""

    def __init__(self, bench: FaultBench) -> None:
        self._bench = bench
        self._first = {name: _use(node) for name, node in bench.nodes.items()}

    def growth(self) -> dict[str, dict[str, float]]:
        """By node: growth since the beginning."""
        return {name: {what: value - self._first[name][what] for what, value in _use(node).items()}
                for name, node in self._bench.nodes.items()}


def _use(node: NodeProcess) -> dict[str, float]:
    return {"memory_mb": node.resident_mb(), "files": node.open_files(), "threads": node.threads()}


@dataclass
class SoakReport:
    """Counts of a soak."""

    seed: int
    robot: str = MAIN
    faults: list[list[str]] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)
    unsafe: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def newest(self) -> str:
        """The faults injected last."""
        return " + ".join(self.faults[-1]) or "nothing"

    def begin(self, names: list[str]) -> None:
        """Faults are injected."""
        self.faults.append(names)

    def recovered(self, took_s: float) -> None:
        """The policy drives again."""
        self.recoveries_s.append(took_s)

    def add(self, judge: CommandJudge) -> None:
        """Take over what the judge has found since the last time."""
        self.kinds.update(one.kind for one in judge.seen)
        self.unsafe += judge.unsafe
        self.examples += [f"{self.newest}: {example}" for example in judge.examples]
        judge.forget()

    def text(self, bench: FaultBench, growth: dict[str, dict[str, float]]) -> str:
        """The summary."""
        counts = Counter(name for names in self.faults for name in names)
        ordered = sorted(self.recoveries_s)
        lines = [f"soak, seed {self.seed}: {len(self.faults)} injections, {bench.judge.period} states, "
                 f"{sum(self.kinds.values())} commands {dict(self.kinds)}, {self.unsafe} unsafe",
                 f"driven again after median {ordered[len(ordered) // 2]:.2f} s, max {ordered[-1]:.2f} s; "
                 f"~/enable called {bench.enabled} times",
                 "faults: " + ", ".join(f"{name} {count}" for name, count in counts.most_common())]
        lines += [f"{node}: " + ", ".join(f"{what} {value:+.1f}" for what, value in grown.items())
                  for node, grown in growth.items()]
        return "\n".join(lines)
