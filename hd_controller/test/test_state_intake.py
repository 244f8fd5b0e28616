"""Which messages become a robot's state, and what is told of them."""

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from hd_controller.guard_settings import GuardSettings
from hd_controller.joint_map import StateError
from hd_controller.state_assembly import StateAssembly
from hd_controller.state_intake import StateIntake

PERIOD_NS = 20_000_000
ROBOT = "a" * 64


class _Topics:
    """Stands in for a node: remembers the callbacks."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Any] = {}

    def create_subscription(self, kind: type, topic: str, callback: Any, profile: object, raw: bool) -> None:
        assert raw
        self.callbacks[topic] = callback


class Bench:
    """An intake with a bound policy of a robot of one joint; notes what happens, in its order."""

    def __init__(self, guards: GuardSettings | None = None) -> None:
        self.events: list[Any] = []
        self.assembly = StateAssembly(["hip"], guards=guards)
        self.policy = SimpleNamespace(assembly=self.assembly, bundle=SimpleNamespace(robot_id=ROBOT))
        self.controller = SimpleNamespace(policy=self.policy,
                                          settings=SimpleNamespace(guards=guards or GuardSettings()))
        reports = SimpleNamespace(trouble=self.events.append, log=lambda *said: self.events.append(said[0]))
        self.intake = StateIntake(self.controller, reports, self._complete, self._refused)
        topics = _Topics()
        self.intake.subscribe(topics, None, base_measured=True)
        self.intake.open = True
        self._topics = topics.callbacks

    def _complete(self, policy: Any, arrived_s: float) -> None:
        assert policy is self.policy
        state = self.assembly.state()
        self.events.append((state.stamp_ns // PERIOD_NS, float(state.joint_positions[0])))

    def _refused(self, problem: StateError, stamp_ns: int) -> None:
        self.events.append(f"refused {stamp_ns // PERIOD_NS}: {problem.guard}")

    def joints(self, period: int, position: float = 0.5, frame: str = "") -> None:
        """A joint state of a period."""
        message = JointState(name=["hip"], position=[position], velocity=[0.0])
        message.header.frame_id = frame
        message.header.stamp.nanosec = period * PERIOD_NS
        self._topics["joint_states"](serialize_message(message))

    def odom(self, period: int) -> None:
        """The torso's state of a period."""
        message = Odometry()
        message.pose.pose.orientation.w = 1.0
        message.header.stamp.nanosec = period * PERIOD_NS
        self._topics["odom"](serialize_message(message))


def test_a_state_is_complete_when_both_parts_have_one_stamp_in_whatever_order_they_come() -> None:
    bench = Bench()
    bench.joints(1)
    bench.odom(1)
    bench.odom(2)
    bench.joints(2)
    bench.joints(3)  # its torso's state is lost
    bench.joints(4)
    bench.odom(4)
    bench.odom(5)  # its joint state is lost
    bench.joints(6)
    bench.odom(6)
    assert [event[0] for event in bench.events] == [1, 2, 4, 6]


def test_what_cannot_be_used_is_told_at_once() -> None:
    bench = Bench()
    bench.joints(1, float("nan"))
    assert bench.events == ["refused 1: finite"] and bench.assembly.accepted == 0


def test_what_is_left_out() -> None:
    """States without a policy, while closed, of the robot before, and from before the description."""
    bench = Bench()
    bench.intake.open = False
    bench.joints(1)
    bench.intake.open, bench.controller.policy = True, None
    bench.odom(1)
    bench.controller.policy = bench.policy
    bench.intake.described(2 * PERIOD_NS)
    bench.joints(1)
    assert bench.events == ["old"]
    bench.joints(3, frame="b" * 64)
    assert bench.events == ["old"] and bench.assembly.accepted == 0
    bench.joints(3, frame=ROBOT)
    bench.joints(4, frame="b" * 64)
    assert bench.assembly.accepted == 1 and bench.events == ["old", "refused 4: missing"]


def test_nothing_is_read_while_delays_are_not_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(guards=GuardSettings(max_delay=0.05))
    now_s = 1e6
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    bench.intake.bound()
    bench.joints(1)
    bench.odom(1)
    assert bench.assembly.accepted == 0
    now_s += 0.2
    bench.joints(2)
    bench.odom(2)
    assert bench.events == [(2, 0.5)]
