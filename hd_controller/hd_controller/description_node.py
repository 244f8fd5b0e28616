"""Publishes a robot file as robot_description and publishes it again whenever the parameter `robot` is set."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String

from hd_controller.description_source import description_text
from hd_controller.diagnostics import ERROR, OK, NodeDiagnostics
from hd_controller.errors import HdError, memory_refused
from hd_controller.node_manual import NodeManual
from hd_controller.node_runner import EXECUTOR_PARAMETER, declare_executor, run_node
from hd_controller.qos import latched

PARAMETERS: dict[str, tuple[object, str]] = {
    "robot": ("", "name of a shipped robot, or path of a URDF or MJCF file; read again whenever it is set"),
}
MANUAL = NodeManual(
    "description_node", __doc__,
    ["ros2 run hd_controller description_node --ros-args -p robot:=hexapod",
     "ros2 run hd_controller description_node --ros-args -p robot:=/path/to/my.urdf"],
    {**PARAMETERS, **EXECUTOR_PARAMETER})

class DescriptionNode(Node):
    """Holds the newest valid description; a bad file is refused and the old description stays.

    Raises HdError when the robot given at the start is refused.
    """

    exit_code: int | None = None

    def __init__(self) -> None:
        super().__init__("description_node")
        declare_executor(self)
        self._robot = self._refusal = ""
        self._pending: tuple[str, str, list[str]] | None = None
        self._publisher = self.create_publisher(String, "robot_description", latched())
        self._diagnostics = NodeDiagnostics(self, lambda: {"robot": self._robot})
        self.add_on_set_parameters_callback(self._check)
        self.add_post_set_parameters_callback(self._publish)
        try:
            for name, (default, meaning) in PARAMETERS.items():
                self.declare_parameter(name, default, ParameterDescriptor(description=meaning))
        except InvalidParameterValueException:
            raise HdError(self._refusal) from None

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
                notes: list[str] = []
                with memory_refused():
                    self._pending = (description_text(parameter.value, notes=notes)[0], parameter.value, notes)
            except HdError as problem:
                self._refuse(f"robot '{parameter.value}' refused: {problem}")
                return SetParametersResult(successful=False, reason=str(problem))
        return SetParametersResult(successful=True)

    def _refuse(self, sentence: str) -> None:
        """One line; at the start it is the one that the process ends with."""
        self._refusal = sentence
        self._diagnostics.report(ERROR, sentence)
        if self._robot:
            self.get_logger().error(sentence)

    def _publish(self, parameters: list[Parameter]) -> None:
        """Publish the description that has just been accepted."""
        if self._pending is None:
            return
        (text, self._robot, notes), self._pending = self._pending, None
        self._publisher.publish(String(data=text))
        self.get_logger().info(f"published robot '{self._robot}' ({len(text.encode())} bytes)")
        for note in notes:
            self.get_logger().warning(note)
        self._diagnostics.report(OK, f"publishing robot '{self._robot}'")


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_controller description_node`."""
    return run_node(DescriptionNode, arguments, MANUAL)


if __name__ == "__main__":
    sys.exit(main())
