"""What the page hears of one robot and asks of its nodes: topics and services under one namespace."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from hd_controller import qos
from hd_msgs.msg import ControllerStatus, ControllerTiming, JointCommand, Policy
from hd_msgs.srv import Push, StepSimulation

Answer = Callable[[bool, str], None]
ANSWER_DEADLINE_S = 5.0
SERVICES: dict[str, type] = {
    "controller_node/enable": SetBool, "controller_node/e_stop_trigger": Trigger,
    "controller_node/e_stop_reset": Trigger, "bridge_node/set_pause": SetBool, "bridge_node/step_many": StepSimulation,
    "bridge_node/reset": Trigger, "bridge_node/push": Push, "description_node/set_parameters": SetParameters,
}
"""Names under the robot's namespace."""
STREAMS: dict[str, type] = {"joint_states": JointState, "odom": Odometry, "imu": Imu, "joint_commands": JointCommand}
"""Topics at the robot's own rate: their bytes are kept, and only the newest are unpacked, when they are wanted."""


class RobotLink:
    """Hears nothing until `open`; `close` ends that. Everything runs in the executor's thread."""

    def __init__(self, node: Node, namespace: str, described: Callable[[str], None]) -> None:
        """namespace: `/` or `/name`; described: gets each new description's text."""
        self._node = node
        self._prefix = namespace.rstrip("/")
        self._described = described
        self._subscriptions: list[Any] = []
        self._waiting: list[tuple[float, Any, str, Answer]] = []
        self._clients = {name: node.create_client(kind, f"{self._prefix}/{name}") for name, kind in SERVICES.items()}
        quiet = PublisherEventCallbacks(use_default_callbacks=False)  # the controller hears it in three ways, one suits
        self._stop = node.create_publisher(Bool, f"{self._prefix}/e_stop", qos.volatile(True), event_callbacks=quiet)
        self._forget()

    def _forget(self) -> None:
        """Nothing is known."""
        self.status: ControllerStatus | None = None
        self.status_at_s = 0.0
        self.timing: ControllerTiming | None = None
        self.coverage_json = ""
        self.diagnostics: dict[str, tuple[int, str]] = {}
        self._bytes: dict[str, bytes] = {}
        self._heard_at_s: dict[str, float] = {}

    def open(self) -> None:
        """Begin to hear."""
        if self._subscriptions:
            return
        hear, prefix = self._node.create_subscription, self._prefix
        self._subscriptions = [
            hear(String, f"{prefix}/robot_description", lambda message: self._described(message.data), qos.latched()),
            hear(Policy, f"{prefix}/policy", self._policy, qos.latched()),
            hear(ControllerStatus, f"{prefix}/status", self._status, qos.latched()),
            hear(ControllerTiming, f"{prefix}/timing", self._timing, qos.latched()),
            hear(DiagnosticArray, "/diagnostics", self._diagnostic, qos.volatile(True)),
            *(hear(kind, f"{prefix}/{name}", partial(self._take, name), qos.volatile(False), raw=True)
              for name, kind in STREAMS.items()),
        ]

    def close(self) -> None:
        """Hear nothing any more, and forget."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        self._forget()

    # Topics

    def newest(self, name: str) -> Any:
        """The newest message of a stream; None while there is none."""
        data = self._bytes.get(name)
        return None if data is None else deserialize_message(data, STREAMS[name])

    def age_s(self, name: str) -> float | None:
        """Seconds since a stream was heard; None: never."""
        heard = self._heard_at_s.get(name)
        return None if heard is None else time.monotonic() - heard

    @property
    def status_age_s(self) -> float:
        """Seconds since the controller's last report."""
        return time.monotonic() - self.status_at_s

    def _take(self, name: str, data: bytes) -> None:
        self._bytes[name], self._heard_at_s[name] = data, time.monotonic()

    def _status(self, message: ControllerStatus) -> None:
        self.status, self.status_at_s = message, time.monotonic()

    def _timing(self, message: ControllerTiming) -> None:
        self.timing = message

    def _policy(self, message: Policy) -> None:
        self.coverage_json = message.coverage_json

    def _diagnostic(self, message: DiagnosticArray) -> None:
        """Entries of this robot's nodes: names are without the first slash."""
        own = f"{self._prefix}/".lstrip("/")
        for status in message.status:
            name = status.name.removeprefix(own)
            if status.name.startswith(own) and "/" not in name and len(self.diagnostics) < 20:
                self.diagnostics[name] = (status.level[0] if isinstance(status.level, bytes) else status.level,
                                          status.message)

    # Services

    def offers(self, name: str) -> bool:
        """Whether a service is there."""
        return self._clients[name].service_is_ready()

    def stop(self, answer: Answer) -> None:
        """Emergency stop, on both ways that there are: the topic is repeated to a controller that starts later."""
        self._stop.publish(Bool(data=True))
        if self.offers("controller_node/e_stop_trigger"):
            self.ask("controller_node/e_stop_trigger", Trigger.Request(), answer)
        else:
            answer(False, "the emergency stop was sent on topic e_stop; no controller answers")

    def ask(self, name: str, request: Any, answer: Answer) -> None:
        """Call a service; the answer comes later, and in any case."""
        client = self._clients[name]
        if not client.service_is_ready():
            answer(False, f"no node offers {client.srv_name}; is it running?")
            return
        future = client.call_async(request)
        self._waiting.append((time.monotonic() + ANSWER_DEADLINE_S, future, client.srv_name, answer))
        future.add_done_callback(self._answered)

    def set_robot(self, robot: str, answer: Answer) -> None:
        """Have the description node publish another robot: a shipped one's name, or a file of its computer."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=robot)
        request = SetParameters.Request(parameters=[Parameter(name="robot", value=value)])
        self.ask("description_node/set_parameters", request, answer)

    def look_for_answers(self) -> None:
        """Give up on answers that do not come."""
        for entry in [entry for entry in self._waiting if entry[0] < time.monotonic()]:
            self._waiting.remove(entry)
            entry[3](False, f"{entry[2]} has not answered for {ANSWER_DEADLINE_S:g} s")

    def _answered(self, future: Any) -> None:
        """Hand an answer on, once."""
        for entry in [entry for entry in self._waiting if entry[1] is future]:
            self._waiting.remove(entry)
            try:
                response = future.result()
            except Exception as problem:  # rclpy passes on whatever the middleware raises
                entry[3](False, f"{entry[2]} failed: {problem}")
                return
            if isinstance(response, SetParameters.Response):
                result = response.results[0]
                entry[3](result.successful, result.reason or "the robot was accepted")
            else:
                entry[3](response.success, response.message)
