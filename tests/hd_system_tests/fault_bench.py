"""The real nodes with a fault proxy between them and a judge who hears every command."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from std_msgs.msg import String
from std_srvs.srv import SetBool

from hd_controller import qos
from hd_controller.guard_settings import GuardSettings, profile_settings
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_system_tests.command_judge import GRACE_PERIODS, CommandJudge, Judged, Rules
from hd_system_tests.fault_proxy import BRIDGE_TOPICS, CONTROLLER_TOPICS, GENERATOR_TOPICS, FaultProxy
from hd_system_tests.message_faults import Faults
from hd_system_tests.probe import Probe
from hd_system_tests.processes import NodeProcess, RosSystem, WithoutCore

DEADLINE_S = 60.0
SLOW_BYTES = 100_000
NODES = ("controller", "generator", "bridge")
LASTING_FAULT_S = 1.5
NO_POSTURE = {"max_tilt": 0.0, "min_height": 0.0}
"""The sample robots' policies are random, so they fall: posture guards are tested elsewhere."""
MAIN, FOREIGN, RENAMED = "quad", "long_quad", "hexapod"
"""The robot that most faults meet, one with the same joint names and one with others."""


@dataclass(frozen=True)
class Setting:
    """How the controller is set up."""

    profile: str = "hardware"
    trigger: str = "state"

    @property
    def guarded(self) -> bool:
        """True when all guards are on."""
        return self.profile == "hardware"

    @property
    def guards(self) -> GuardSettings:
        """The thresholds that hold."""
        return profile_settings(self.profile, **NO_POSTURE)

    @property
    def rules(self) -> Rules:
        """What the judge may ask for."""
        return Rules(complete_states=self.trigger == "state", old_states_refused=self.guarded,
                     joints_guarded=self.guarded)


class FaultBench:
    """Use as a context manager inside a RosSystem; `texts` and `bodies` are the known robots by name.

    What the nodes print goes to `log`, or to a file for each.
    """

    def __init__(self, system: RosSystem, texts: Mapping[str, str], bodies: Mapping[str, Morphology],
                 generator: object, setting: Setting, seed: int = 0, log: Path | None = None) -> None:
        self.system, self.texts, self.bodies, self.setting = system, texts, bodies, setting
        self._generator_folder, self._log = generator, log
        self._ids = {text: bodies[name].robot_id for name, text in texts.items()}
        self.judge = CommandJudge.of(bodies.values(), setting.rules)
        foreign = bodies[FOREIGN].robot_id, list(bodies[RENAMED].joint_names)
        self.proxy = FaultProxy(system.domain, self.judge, self._robot_of, foreign, setting.guarded, seed)
        self.probe = Probe(system.domain, streams=False)
        self.nodes: dict[str, NodeProcess] = {}
        self.enabled = 0

    def __enter__(self) -> FaultBench:
        """Connect the proxy; no node runs yet."""
        self.proxy.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        """The nodes end with their system."""
        self.probe.__exit__(*failure)
        self.proxy.__exit__(*failure)

    def _robot_of(self, text: str) -> str | None:
        """For the proxy: which robot a description is of; nobody knows when one of `SLOW_BYTES` has arrived."""
        return "" if len(text) > SLOW_BYTES else self._ids.get(text)

    # Nodes

    def start(self, *names: str) -> None:
        """Start nodes: controller, generator, bridge."""
        ways = {
            "controller": ("controller_node", CONTROLLER_TOPICS, {
                "guard_profile": self.setting.profile, "trigger": self.setting.trigger, **NO_POSTURE}),
            "generator": ("generator_node", GENERATOR_TOPICS, {"generator": self._generator_folder}),
            "bridge": ("bridge_node", BRIDGE_TOPICS, {}),
        }
        for name in names:
            executable, topics, parameters = ways[name]
            self.nodes[name] = self.system.start(executable, topics=topics, log=self._log, **parameters)

    def kill(self, name: str) -> None:
        """End a node without any warning."""
        node = self.nodes.pop(name)
        node.process.kill()
        node.process.wait(10)

    # What happens

    @property
    def robot_id(self) -> str:
        """The robot that most faults meet."""
        return self.bodies[MAIN].robot_id

    def describe(self, name: str) -> None:
        """Publish a robot's description."""
        self.probe.description.publish(String(data=self.texts[name]))

    @contextmanager
    def second_publisher(self) -> Iterator[object]:
        """Another node that publishes descriptions."""
        publisher = self.probe.node.create_publisher(String, "robot_description", qos.latched())
        yield publisher
        self.probe.node.destroy_publisher(publisher)

    @contextmanager
    def faults(self, **values: object) -> Iterator[int]:
        """Inject faults for the time of a `with` block; gives the period in which they began."""
        self.proxy.faults = Faults(**values)
        yield self.judge.period
        self.proxy.faults = Faults()

    def drives(self, name: str = MAIN, commands: int = 10, what: str = "the policy drives the robot") -> float:
        """Wait until a robot's policy answers new states, enabling it where a fault asks for that; returns seconds."""
        robot_id, since, well_s = self.bodies[name].robot_id, self.judge.period, time.monotonic()

        def driving() -> bool:
            nonlocal well_s
            if self.probe.mode != "fault":
                well_s = time.monotonic()
            elif time.monotonic() - well_s > LASTING_FAULT_S:
                well_s = time.monotonic()
                self.probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True), DEADLINE_S)
                self.enabled += 1
            return self.judge.count("driving", robot_id, since) >= commands

        return self.probe.spin_until(driving, DEADLINE_S, f"{what} ({name})")

    def guard(self, node: str, key: str) -> int:
        """A count in a node's newest diagnostics."""
        return int(self.probe.values.get(node, {}).get(key, 0))

    def trips(self, guard: str, before: int) -> None:
        """Wait until a guard of the controller has acted more often than before."""
        self.probe.spin_until(lambda: self.guard("controller_node", f"guard.{guard}") > before, DEADLINE_S,
                              f"guard {guard} acts")

    def let_pass(self, periods: int) -> None:
        """Receive until the robot has shown that many states."""
        end = self.judge.period + periods
        self.probe.spin_until(lambda: self.judge.period >= end, DEADLINE_S, f"{periods} states of the robot")

    def story(self, since: int) -> str:
        """What the controller said and did since a period, for a failing test."""
        kinds = Counter(one.kind for one in self.judge.seen if one.came >= since)
        said = list(dict.fromkeys(f"{status.mode}: {status.message}" for status in self.probe.statuses[-50:]))
        counts = {key: value for key, value in self.probe.values.get("controller_node", {}).items()
                  if key.startswith("guard.") and value.isdigit() and value != "0"}
        return f"{self.judge.period - since} periods, commands {dict(kinds)}; said {said}; guards {counts}"

    # What must hold

    def stays_safe(self, onset: int, detection_s: float, periods: int = 75) -> None:
        """A fault holds: its guard takes `detection_s`; no state shown `GRACE_PERIODS` later is answered by driving.

        Later is what is so by the number of the robot's states and by the time at which they were seen.
        """
        began_s = time.monotonic()
        self.probe.spin_until(lambda: self.judge.safe_since(began_s), DEADLINE_S, "a command of zero or damping")
        self.let_pass(periods)
        last = onset + round(detection_s / CONTROL_PERIOD_S) + GRACE_PERIODS
        last_s = began_s + detection_s + GRACE_PERIODS * CONTROL_PERIOD_S
        late = self.judge.count("driving", answers_after=last, made_after_s=last_s)
        assert not late, f"{late} driving commands answer states shown after period {last}; fault since {onset}"

    @contextmanager
    def silence(self) -> Iterator[None]:
        """What the `with` block does ends all states: a zero command follows in time, and nothing but zero after it.

        The time counts from the last state and leaves out what controller and judge waited for a core. A controller
        that got no core may answer states that came in time after a zero command: the last row of zeros counts.
        """
        without_core = WithoutCore([self.nodes["controller"]])
        yield
        self.probe.spin_until(self._zeros_after_the_last_state, DEADLINE_S, "a zero command after the last state")
        self.probe.spin_for(0.3)
        self.probe.spin_until(self._zeros_after_the_last_state, DEADLINE_S, "nothing but zero after the last state")
        without_core_s = without_core.seconds()
        took_s = self._zeros_after_the_last_state()[0].sent_s - self.judge.shown_s
        timeout_s = self.setting.guards.state_timeout
        allowed_s = timeout_s + GRACE_PERIODS * CONTROL_PERIOD_S
        print(f"zero command {took_s * 1e3:.0f} ms after the last state, {allowed_s * 1e3:.0f} ms allowed; without a "
              f"core for up to {without_core_s * 1e3:.0f} ms")
        assert took_s - without_core_s <= allowed_s

    def _zeros_after_the_last_state(self) -> list[Judged]:
        """The zero commands that end all commands and were sent after the state shown last."""
        zeros = takewhile(lambda one: one.kind == "zero" and one.sent_s > self.judge.shown_s, reversed(self.judge.seen))
        return list(zeros)[::-1]

    def unharmed(self) -> None:
        """No unsafe command so far, and no node has ended by itself."""
        assert not self.judge.unsafe, self.judge.examples
        for name, node in self.nodes.items():
            assert node.process.poll() is None, f"{name} has ended:\n{node.output[-3000:]}"
