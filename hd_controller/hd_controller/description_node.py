"""Publishes a robot file as robot_description and publishes it again whenever the parameter `robot` is set."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String

from hd_controller.description_source import description_text
from hd_controller.diagnostics import ERROR, OK, NodeDiagnostics
from hd_controller.errors import HdError
from hd_controller.node_runner import declare_executor, run_node
from hd_controller.qos import latched


class DescriptionNode(Node):
    """Holds the newest valid description; a bad file is refused and the old description stays."""

    exit_code: int | None = None

    def __init__(self) -> None:
        super().__init__("description_node")
        declare_executor(self)
        self._robot = ""
        self._pending: tuple[str, str] | None = None
        self._publisher = self.create_publisher(String, "robot_description", latched())
        self._diagnostics = NodeDiagnostics(self, lambda: {"robot": self._robot})
        self.add_on_set_parameters_callback(self._check)
        self.add_post_set_parameters_callback(self._publish)
        self.declare_parameter("robot", "", ParameterDescriptor(
            description="name of a shipped robot, or path of a URDF or MJCF file; read again whenever it is set"))

    def start(self, post: Callable[[Callable[[], None]], Any]) -> None:
        """Nothing to start: the description is published when the parameter is declared."""

    def stop(self) -> None:
        """Nothing to make safe."""

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        """Read and validate the file; the result's reason is the sentence for the user."""
        for parameter in parameters:
            if parameter.name != "robot":
                continue
            try:
                if parameter.type_ is not Parameter.Type.STRING:
                    raise HdError("parameter robot must be a string")
                if not parameter.value:
                    raise HdError("parameter robot is empty; give the name of a shipped robot or a file")
                self._pending = (description_text(parameter.value)[0], parameter.value)
            except HdError as problem:
                sentence = f"robot '{parameter.value}' refused: {problem}"
                self.get_logger().error(sentence)
                self._diagnostics.report(ERROR, sentence)
                return SetParametersResult(successful=False, reason=str(problem))
        return SetParametersResult(successful=True)

    def _publish(self, parameters: list[Parameter]) -> None:
        """Publish the description that has just been accepted."""
        if self._pending is None:
            return
        (text, self._robot), self._pending = self._pending, None
        self._publisher.publish(String(data=text))
        self.get_logger().info(f"published robot '{self._robot}' ({len(text.encode())} bytes)")
        self._diagnostics.report(OK, f"publishing robot '{self._robot}'")


def _make() -> DescriptionNode:
    """Build the node; a robot that is refused at the start ends the process with one sentence."""
    from rclpy.exceptions import InvalidParameterValueException
    try:
        return DescriptionNode()
    except InvalidParameterValueException as problem:
        raise HdError(str(problem)) from None


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_controller description_node`."""
    return run_node(_make, arguments)


if __name__ == "__main__":
    sys.exit(main())
