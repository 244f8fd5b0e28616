"""The controller with a teacher in the generated policy's place: the same topics, modes, guards and figures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from hd_controller import controller_parameters
from hd_controller.controller_node import ControllerNode
from hd_controller.errors import HdError
from hd_controller.node_manual import NodeManual
from hd_controller.node_runner import run_node
from hd_training.bound_teacher import BoundTeacher, bind_teacher, open_teacher

PARAMETERS: dict[str, tuple[object, str]] = {
    "teacher": ("", "checkpoint or archive of a teacher, run folder, or folder of experts"),
}
MANUAL = NodeManual(
    "teacher_node", __doc__,
    ["ros2 run hd_training teacher_node --ros-args -p teacher:=runs/laptop/teacher.pt -p use_sim_time:=true",
     "ros2 launch hd_controller sim.launch.py teacher:=runs/laptop/teacher.pt    with a simulated robot"],
    PARAMETERS | controller_parameters.MANUAL.parameters)  # fmt: skip


@dataclass(frozen=True)
class Described:
    """A description that wants a policy."""

    text: str
    description_sha256: str


class TeacherPolicies:
    """A `PolicyOrigin`: every description becomes the teacher bound to its robot."""

    def open(self, node: Node, take: Callable[[Described], None]) -> None:
        """Read the teacher that the parameter names; raises HdError for a wrong one."""
        default, meaning = PARAMETERS["teacher"]
        node.declare_parameter("teacher", default, ParameterDescriptor(description=meaning, read_only=True))
        path = node.get_parameter("teacher").value
        if not path:
            raise HdError(f"parameter teacher is empty; expected a {meaning}")
        if node.get_parameter("policy_file").value:
            raise HdError("parameter policy_file is for controller_node; teacher_node runs the teacher alone")
        self._source = open_teacher(Path(path).expanduser())
        self._take = take
        node.get_logger().info(f"teacher {path} ready")

    def described(self, text: str, sha256: str) -> None:
        """The robot has changed: bind the teacher to it."""
        self._take(Described(text, sha256))

    def first(self) -> None:
        """There is no policy before a description."""

    def policy_of(self, item: Described) -> BoundTeacher:
        """Read the description and bind; raises HdError."""
        return bind_teacher(self._source, item.text)


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_training teacher_node`."""
    return run_node(lambda: ControllerNode("teacher_node", TeacherPolicies()), arguments, MANUAL)


if __name__ == "__main__":
    sys.exit(main())
