"""Shows robots in the browser and lets an operator steer them; uses nothing but topics and services."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from hd_controller.errors import HdError
from hd_controller.node_manual import NodeManual
from hd_controller.node_runner import EXECUTOR_PARAMETER, declare_executor, guarded, run_node
from hd_controller.shipped_files import shipped_robots
from hd_sim_bridge.web_viewer.access import rules_for
from hd_sim_bridge.web_viewer.page_address import free_port, page_address
from hd_sim_bridge.web_viewer.uploads import UploadFolder, check_size

TELL_PERIOD_S = 0.5
LOOK_PERIOD_S = 1.0
APART_M = 2.0
"""Simulated robots are drawn side by side: each has a world of its own."""
MOST_ROBOTS = 12
MARKS = {"robot_description": "std_msgs/msg/String", "status": "hd_msgs/msg/ControllerStatus"}
"""Where somebody publishes one of these topics, there is a robot."""
PARAMETERS: dict[str, tuple[object, str]] = {
    "host": ("127.0.0.1", "address to listen at; any other one than this computer's own needs the page's token"),
    "port": (8080, "port of the page; where it is in use, the next free one"),
    "token_file": ("", "file with the token that the page asks for; empty: a new one where a token is needed"),
    "rate": (20.0, "pictures per second, at most 30"),
}

MANUAL = NodeManual(
    "web_viewer_node", __doc__,
    ["ros2 run hd_sim_bridge web_viewer_node --ros-args -p port:=9000",
     "ros2 launch hd_controller sim.launch.py viewer:=web    with a simulated robot"],
    {**PARAMETERS, **EXECUTOR_PARAMETER})


class WebViewerNode(Node):
    """Sleeps while no browser is connected: no topic is heard and no timer runs."""

    exit_code: int | None = None

    def __init__(self) -> None:
        super().__init__("web_viewer_node")
        declare_executor(self)
        values = {name: self.declare_parameter(name, default, ParameterDescriptor(
            description=meaning, read_only=True)).value for name, (default, meaning) in PARAMETERS.items()}
        if not 1.0 <= values["rate"] <= 30.0:
            raise HdError(f"parameter rate is {values['rate']:g}; expected 1 to 30 pictures per second")
        self._host, self._period_s = values["host"], 1.0 / values["rate"]
        self._rules = rules_for(self._host, values["token_file"])
        self._wanted_port = values["port"]
        self._port = free_port(self._host, self._wanted_port)
        self._uploads = UploadFolder()
        self._robots: dict[str, Any] = {}
        self._timers: list[Any] = []
        self._page: Any = None

    def start(self, post: Callable[[Callable[[], None]], Any]) -> None:
        """Open the page and print its address."""
        try:
            from hd_sim_bridge.web_viewer import page_server
            from hd_sim_bridge.web_viewer.page import Page
        except ImportError as problem:
            raise HdError(f"the page needs the Python package viser ({problem}); install it with: "
                          "pip install 'viser>=1.1,<1.2'") from None
        self._post = post
        server = page_server.open_server(self._rules, self._host, self._port, check_size, self._refuse)
        self._page, self._close_server = Page(server, self._stop_all), page_server.close_server
        server.on_client_connect(lambda client: post(lambda: self._came(client)))
        server.on_client_disconnect(lambda client: post(lambda: self._left(client)))
        port = server.get_port()
        if port != self._wanted_port:
            self.get_logger().warning(f"port {self._wanted_port} is in use; the page is at port {port}")
        shown_token = self._rules.token if not self.get_parameter("token_file").value else ""
        self.get_logger().info(f"operator's page: {page_address(self._host, port, shown_token)}")

    def stop(self) -> None:
        """Close the page; robots are left as they are."""
        for robot in self._robots.values():
            robot.close()
        if self._page is not None:
            self._close_server(self._page.server)
        self._uploads.close()

    # Browsers

    def _came(self, client: Any) -> None:
        """Wake up for the first browser."""
        asleep = not self._page.watched
        self._page.came(client)
        if not asleep:
            return
        self._look()
        for robot in self._robots.values():
            robot.link.open()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers = [self.create_timer(period_s, guarded(act, self), clock=steady) for period_s, act in (
            (self._period_s, self._draw), (TELL_PERIOD_S, self._tell), (LOOK_PERIOD_S, self._look))]

    def _left(self, client: Any) -> None:
        """Sleep after the last browser."""
        self._page.left(client)
        if self._page.watched:
            return
        for timer in self._timers:
            self.destroy_timer(timer)
        self._timers = []
        for robot in self._robots.values():
            robot.link.close()

    # Robots

    def _look(self) -> None:
        """Find robots that have come up in this node's namespace or below."""
        own = self.get_namespace().rstrip("/") + "/"
        for topic, types in self.get_topic_names_and_types():
            namespace, _, name = topic.rpartition("/")
            if name in MARKS and MARKS[name] in types and topic.startswith(own) and namespace not in self._robots:
                if len(self._robots) < MOST_ROBOTS and self.count_publishers(topic):
                    self._add(namespace)

    def _add(self, namespace: str) -> None:
        """One more robot, with its tab and its place in the scene."""
        from hd_sim_bridge.web_viewer.robot_link import RobotLink
        from hd_sim_bridge.web_viewer.robot_panel import RobotPanel
        from hd_sim_bridge.web_viewer.robot_view import RobotView
        from hd_sim_bridge.web_viewer.robot_wishes import RobotWishes
        from hd_sim_bridge.web_viewer.scene import RobotScene

        name = namespace.lstrip("/") or "robot"
        link = RobotLink(self, namespace or "/", lambda text: self._robots[namespace].described(text))
        wishes = RobotWishes(link, self._post, lambda good, sentence: panel.answer(good, sentence), self._uploads)
        with self._page.add_robot(name):
            panel = RobotPanel(self._page.server.gui, wishes, tuple(shipped_robots()))
        scene = RobotScene(self._page.server, f"robot_{len(self._robots)}")
        self._robots[namespace] = RobotView(name, link, panel, scene, wishes, self._post)
        for robot in self._robots.values():
            robot.panel.own_stop.visible = len(self._robots) > 1
        if self._page.watched:
            link.open()

    def _draw(self) -> None:
        """One picture."""
        places = {}
        for place, robot in enumerate(self._robots.values()):
            robot.put_aside(APART_M * place)
            robot.draw()
            places[robot.name] = robot.place
        self._page.follow(places)

    def _tell(self) -> None:
        """Words and curves."""
        for robot in self._robots.values():
            robot.tell()

    def _stop_all(self) -> None:
        """The big button; called in a thread of the page's server."""
        for robot in list(self._robots.values()):
            robot.wishes.stop()

    def _refuse(self, sentence: str) -> None:
        """A file that is too large; called in a thread of the page's server, which does not know the robot."""
        for robot in list(self._robots.values()):
            robot.wishes.refuse(sentence)


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `ros2 run hd_sim_bridge web_viewer_node`."""
    return run_node(WebViewerNode, arguments, MANUAL)


if __name__ == "__main__":
    sys.exit(main())
