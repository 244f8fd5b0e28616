"""Turns every robot_description into a policy for that very robot."""


from __future__ import annotations

import json
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import String

from hd_controller.background import LatestWorker
from hd_controller.conversions import policy_to_message
from hd_controller.description_hash import description_sha256
from hd_controller.diagnostics import ERROR, OK, WARN, NodeDiagnostics
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.node_manual import NodeManual
from hd_controller.node_runner import EXECUTOR_PARAMETER, declare_executor, run_node
from hd_controller.qos import latched
from hd_controller.shipped_files import generator_folder
from hd_controller.stop_memory import StopMemory
from hd_controller.xml_document import MAX_BYTES
from hd_msgs.msg import Policy
from hd_msgs.srv import GeneratePolicy

CACHE_SIZE = 8
PARAMETERS: dict[str, tuple[object, str]] = {
    "generator": ("default", "folder of a generator bundle, or the name of a shipped one"),
}
MANUAL = NodeManual(
    "generator_node", __doc__,
    ["ros2 run hd_controller generator_node",
     "ros2 run hd_controller generator_node --ros-args -p generator:=runs/laptop/generator"],
    {**PARAMETERS, **EXECUTOR_PARAMETER})


class PolicyCache:
    """The policies of the descriptions seen last, by description text hash."""

    def __init__(self, bundle: GeneratorBundle, size: int = CACHE_SIZE) -> None:
        self._bundle = bundle
        self._size = size
        self._messages: OrderedDict[str, Policy] = OrderedDict()

    def policy(self, description: str) -> Policy:
        """The policy message for a description; raises HdError with one sentence when it is refused."""
        check_size(description)
        key = description_sha256(description)
        if key in self._messages:
            self._messages.move_to_end(key)
            return self._messages[key]
        message = policy_to_message(generate_policy(description, self._bundle))
        self._messages[key] = message
        while len(self._messages) > self._size:
            self._messages.popitem(last=False)
        return message


def check_size(description: str) -> None:
    """Refuse a text that is too long before anything looks into it; raises HdError."""
    if len(description) > MAX_BYTES:
        raise HdError(f"the description has {len(description)} characters; {MAX_BYTES} are allowed at most")


class GeneratorNode(Node):
    """Generates beside the executor thread; of descriptions that come quickly, the newest wins."""

    exit_code: int | None = None

    def __init__(self) -> None:
        super().__init__("generator_node")
        declare_executor(self)
        for name, (default, meaning) in PARAMETERS.items():
            self.declare_parameter(name, default, ParameterDescriptor(description=meaning, read_only=True))
        self._bundle = GeneratorBundle.load(generator_folder(self.get_parameter("generator").value))
        self._topic_cache = PolicyCache(self._bundle)
        self._service_cache = PolicyCache(self._bundle)
        self._robot = ""
        self._generated = self._refused = 0
        self._last_ms = 0.0
        self._post: Callable[[Callable[[], None]], Any] | None = None
        self._worker: LatestWorker | None = None
        self._publisher = self.create_publisher(Policy, "policy", latched())
        self._diagnostics = NodeDiagnostics(self, self._values)

    def start(self, post: Callable[[Callable[[], None]], Any]) -> None:
        """Start the worker first, then listen."""
        self._post = post
        self._worker = LatestWorker(self._generate, self._generated_one, post)
        self.create_subscription(String, "robot_description", self._description, latched())
        self.create_service(GeneratePolicy, "~/generate", self._serve)
        self._stop_memory = StopMemory(self)
        self.get_logger().info(f"generator {self._bundle.generator_id[:12]} ready")

    def stop(self) -> None:
        """End the worker; there is nothing to make safe."""
        if self._worker is not None:
            self._worker.close()

    def _values(self) -> dict[str, object]:
        """Key-value pairs for /diagnostics."""
        return {"generator": self._bundle.generator_id, "robot": self._robot, "generated": self._generated,
                "refused": self._refused, "last_generation_ms": f"{self._last_ms:.1f}"}

    def _description(self, message: String) -> None:
        """Hand a new description to the worker."""
        if self.count_publishers("robot_description") > 1:
            self.get_logger().warning(
                "several nodes publish robot_description and the newest wins; is a second system running? Give each a "
                "namespace or a ROS_DOMAIN_ID of its own", throttle_duration_sec=5.0)
        assert self._worker is not None
        self._worker.submit((message.data, time.monotonic()))

    def _generate(self, item: tuple[str, float]) -> Policy:
        """Worker thread: description -> policy message."""
        return self._topic_cache.policy(item[0])

    def _generated_one(self, item: tuple[str, float], policy: Policy | None, error: Exception | None) -> None:
        """Executor thread: publish the policy, or say why there is none."""
        if policy is None:
            self._refuse(error)
            return
        policy.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(policy)
        self._generated += 1
        self._robot = policy.robot_id[:12]
        self._last_ms = (time.monotonic() - item[1]) * 1e3
        coverage = json.loads(policy.coverage_json)
        inside = coverage["in_distribution"]
        note = "" if inside else "; OUTSIDE the trained range, see coverage_json"
        sentence = f"policy for robot {self._robot} ({len(policy.joint_names)} joints){note}"
        self.get_logger().info(f"{sentence}, {self._last_ms:.0f} ms after its description")
        for remark in coverage["notes"]:
            self.get_logger().warning(remark)
        self._diagnostics.report(OK if inside else WARN, sentence)

    def _refuse(self, error: Exception | None) -> None:
        """One line in the log and in /diagnostics; the policy published last stays."""
        self._refused += 1
        kind = "" if isinstance(error, HdError) else f"unexpected {type(error).__name__}: "
        sentence = f"description refused: {kind}{error}"
        self.get_logger().error(sentence)
        self._diagnostics.report(ERROR, sentence)

    async def _serve(self, request: GeneratePolicy.Request, response: GeneratePolicy.Response) -> Any:
        """~/generate: a policy for a text, without publishing it; works in a thread of its own."""
        future: Future = Future()

        def finish(item: str, policy: Policy | None, error: Exception | None) -> None:
            future.set_result((policy, error))

        worker = LatestWorker(self._service_cache.policy, finish, self._post)
        worker.submit(request.description)
        policy, error = await future
        worker.close()
        response.success = policy is not None
        response.message = "generated" if policy is not None else str(error)
        if policy is not None:
            response.policy = policy
        return response


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_controller generator_node`."""
    return run_node(GeneratorNode, arguments, MANUAL)


if __name__ == "__main__":
    sys.exit(main())
