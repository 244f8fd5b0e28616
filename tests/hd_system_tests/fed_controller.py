"""A controller node in the test's own process, fed with the bytes that the middleware would give it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PERIOD_NS = 20_000_000


class FedController:
    """A controller node in this process, fed with the bytes that the middleware would give to its subscriptions."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self._stamp_ns = 10**18
        node.start(lambda function: function())
        callbacks = {subscription.topic_name: subscription.callback for subscription in node.subscriptions}
        self._joint_states, self._odom = callbacks["/joint_states"], callbacks["/odom"]

    def take(self, policy: Any) -> None:
        """Give it a policy whose description is the newest."""
        from hd_controller.benchmark.robot_driver import state_messages
        from hd_controller.controller import prepare_policy

        self.node._modes.description(policy.description_sha256)
        self.node._controller.drop_policy()
        self.node._ready(prepare_policy(policy, self.node._settings))
        self._messages = state_messages(policy)

    def run(self, steps: int, joints_ns: int = 0, odom_ns: int = 0) -> None:
        """Control steps with swinging joints; stamps are as much later as told [ns]."""
        from rclpy.serialization import serialize_message

        from hd_controller import conversions
        from hd_controller.benchmark.robot_driver import swing

        for _ in range(steps):
            self._stamp_ns += PERIOD_NS
            swing(*self._messages, self._stamp_ns * 1e-9, self._stamp_ns)
            for message, later_ns in zip(self._messages, (joints_ns, odom_ns), strict=True):
                conversions.set_stamp(message.header.stamp, self._stamp_ns + later_ns)
            self._joint_states(serialize_message(self._messages[0]))
            self._odom(serialize_message(self._messages[1]))


@contextmanager
def fed_controller(domain: int) -> Iterator[FedController]:
    """A controller node that takes any robot."""
    import rclpy

    from hd_controller.controller_node import ControllerNode

    rclpy.init(args=["--ros-args", "-p", "allow_out_of_distribution:=true", "--log-level", "error"], domain_id=domain)
    node = ControllerNode()
    try:
        yield FedController(node)
        node.stop()
        node.destroy_node()
    finally:
        rclpy.try_shutdown()


def policy_of(robots: Any, name: str) -> Any:
    """The policy that the tests' generator writes for one of the tests' robots."""
    from hd_controller.generator import generate_policy
    from hd_controller.generator_bundle import GeneratorBundle

    return generate_policy(robots.texts[name], GeneratorBundle.load(robots.generator))
