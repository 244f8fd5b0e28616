"""The control loop's memory: nothing grows over ten thousand steps of the node, nor over swaps of its robot."""

import gc
import os
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STEPS = 10_000
PERIOD_NS = 20_000_000
GROWTH_BYTES, RESIDENT_GROWTH_MB = 10_000, 2.0


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Fed:
    """A controller node in this process, fed with the bytes that the middleware would give to its subscriptions."""

    def __init__(self, node: Any) -> None:
        from hd_controller.wire_states import StateReader

        self.node = node
        self._stamp_ns = 10**18
        self._joint_states = StateReader(_type("JointState"), node._joint_states, pytest.fail)
        self._odom = StateReader(_type("Odometry"), node._base_state, pytest.fail)
        node.start(lambda function: function())

    def take(self, policy: Any) -> None:
        """Give it a policy whose description is the newest."""
        from hd_controller.benchmark.robot_driver import state_messages
        from hd_controller.controller import prepare_policy

        self.node._modes.description(policy.description_sha256)
        self.node._controller.drop_policy()
        self.node._ready(prepare_policy(policy, self.node._settings))
        self._messages = state_messages(policy)

    def run(self, steps: int) -> None:
        """Control steps with swinging joints."""
        from rclpy.serialization import serialize_message

        from hd_controller.benchmark.robot_driver import swing

        for _ in range(steps):
            self._stamp_ns += PERIOD_NS
            swing(*self._messages, self._stamp_ns * 1e-9, self._stamp_ns)
            self._joint_states(serialize_message(self._messages[0]))
            self._odom(serialize_message(self._messages[1]))


def _type(name: str) -> type:
    from nav_msgs.msg import Odometry
    from sensor_msgs.msg import JointState

    return {"JointState": JointState, "Odometry": Odometry}[name]


@pytest.fixture
def fed(system) -> Iterator[Fed]:
    """A controller node in this process that takes any robot."""
    import rclpy

    from hd_controller.controller_node import ControllerNode

    rclpy.init(args=["--ros-args", "-p", "allow_out_of_distribution:=true", "--log-level", "error"],
               domain_id=system.domain)
    node = ControllerNode()
    try:
        yield Fed(node)
        node.stop()
        node.destroy_node()
    finally:
        rclpy.try_shutdown()


def _policy(robots, name: str) -> Any:
    from hd_controller.generator import generate_policy
    from hd_controller.generator_bundle import GeneratorBundle

    return generate_policy(robots.texts[name], GeneratorBundle.load(robots.generator))


@pytest.mark.integration
@pytest.mark.slow
def test_ten_thousand_steps_do_not_grow(fed, robots) -> None:
    """Python's memory and the process's both stay where they are."""
    fed.take(_policy(robots, "strider"))
    tracemalloc.start()
    fed.run(STEPS)  # Python's pools of small objects fill up first, by up to 50 kB
    gc.collect()
    before, resident_mb = tracemalloc.get_traced_memory()[0], _resident_mb()
    fed.run(STEPS)
    gc.collect()
    grown, resident_grown_mb = tracemalloc.get_traced_memory()[0] - before, _resident_mb() - resident_mb
    tracemalloc.stop()
    assert fed.node._controller.steps == 2 * STEPS, fed.node._modes.message
    assert grown < GROWTH_BYTES
    assert resident_grown_mb < RESIDENT_GROWTH_MB


@pytest.mark.integration
def test_a_dropped_policy_is_freed_without_the_garbage_collector(fed, robots) -> None:
    """Objects kept out of collections must not hold on to robots of the past."""
    policies = [_policy(robots, name) for name in ("strider", "quad")]
    fed.take(policies[0])
    fed.run(20)
    old = weakref.ref(fed.node._controller.policy)
    gc.disable()
    try:
        fed.take(policies[1])
        fed.run(20)
        assert old() is None
    finally:
        gc.enable()
