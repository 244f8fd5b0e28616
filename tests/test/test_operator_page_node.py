"""The operator's page without a browser: who may come, when it sleeps, ports in use, several robots."""

import re
import socket
import urllib.error
import urllib.request

import pytest

from hd_controller.shipped_files import generator_folder
from hd_system_tests.processes import wait_until

pytest.importorskip("viser", reason="needs viser")
pytestmark = pytest.mark.integration


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def address_of(viewer) -> str:
    """The address that a node prints."""
    wait_until(lambda: "operator's page: " in viewer.output or viewer.process.poll() is not None, 60,
               "the page's address is printed")
    return re.search(r"operator's page: (\S+)", viewer.output)[1]


def robot(system, name: str, namespace: str = "/") -> None:
    """The nodes of a simulated robot."""
    place = {"__ns": namespace}
    system.start("controller_node", topics=place)
    system.start("generator_node", topics=place, generator=generator_folder("default"))
    system.start("bridge_node", topics=place)
    system.start("description_node", topics=place, robot=name)


def test_it_hears_only_while_somebody_watches(system):
    from hd_system_tests.plain_viewer import PlainViewer
    from hd_system_tests.probe import Probe

    robot(system, "quadruped")
    address = address_of(system.start("web_viewer_node", port=free_port()))
    with Probe(system.domain, streams=False) as probe:
        def heard() -> list[int]:
            return [probe.node.count_subscribers(topic) for topic in ("odom", "joint_states", "/diagnostics")]

        probe.spin_until(lambda: probe.mode == "run", 60, "the robot runs")
        asleep = heard()
        for _ in range(2):
            with PlainViewer(address) as viewer:
                viewer.read_until(lambda v=viewer: ">Running<" in v.text, 30, "the page says that the robot runs")
                drawn = viewer.counts["SceneNodeUpdateMessage"]
                viewer.read_until(lambda v=viewer, d=drawn: v.counts["SceneNodeUpdateMessage"] > d + 20, 30, "it moves")
                assert heard() == [count + 1 for count in asleep]
            probe.spin_until(lambda: heard() == asleep, 30, "nothing is heard any more")


def test_several_viewers_see_the_same_and_one_may_leave(system):
    from hd_system_tests.plain_viewer import PlainViewer

    robot(system, "quadruped")
    address = address_of(system.start("web_viewer_node", port=free_port()))
    with PlainViewer(address) as first:
        with PlainViewer(address) as second:
            for viewer in (first, second):
                viewer.read_until(lambda v=viewer: ">Running<" in v.text, 60, "the page says that the robot runs")
            second.press("Policy", "Disable")
            for viewer in (first, second):
                viewer.read_until(lambda v=viewer: ">Standby<" in v.text, 30, "the page says that it is disabled")
        first.press("Policy", "Enable")
        first.read_until(lambda: ">Running<" in first.text, 30, "who has stayed steers on")
        assert first.nodes["/world"]["owner"], "each viewer has a camera of its own"


def test_beside_a_robot_that_is_no_simulation_only_what_is_there_can_be_asked(system, robots):
    from hd_system_tests.plain_viewer import PlainViewer
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    address = address_of(system.start("web_viewer_node", port=free_port()))
    name = next(iter(robots.texts))
    with Probe(system.domain, streams=False) as probe, PlainViewer(address) as viewer:
        probe.publish_description(robots.texts[name])
        viewer.read_until(lambda: f"Robot {robots.bodies[name].name}; the controller has no policy" in viewer.text, 60,
                          "the robot is shown without states and without a policy")
        viewer.read_until(lambda: "No joint states yet." in viewer.text, 30, "the page says what is missing")
        properties = {label: [viewer.elements[uuid] for uuid in viewer.labelled(label)]
                      for label in ("Simulation", "Upload a URDF", "Use this robot")}
        assert not properties["Simulation"][0]["visible"]
        assert properties["Upload a URDF"][0]["disabled"] and properties["Use this robot"][0]["disabled"]
        viewer.press("Policy", "Enable")
        viewer.read_until(lambda: "There is no policy for the current robot description." in viewer.text, 30,
                          "the controller's answer")


def test_several_robots_have_a_tab_each_and_one_button_stops_them_all(system):
    from hd_msgs.msg import ControllerStatus
    from hd_system_tests.plain_viewer import PlainViewer
    from hd_system_tests.probe import Probe

    robot(system, "quadruped", "/left")
    robot(system, "hexapod", "/right")
    address = address_of(system.start("web_viewer_node", port=free_port()))
    with Probe(system.domain, streams=False) as probe, PlainViewer(address) as viewer:
        from hd_controller import qos

        modes: dict[str, tuple[str, bool]] = {}
        for name in ("left", "right"):
            probe.node.create_subscription(
                ControllerStatus, f"/{name}/status",
                lambda message, name=name: modes.update({name: (message.mode, message.e_stop_latched)}), qos.latched())
        probe.spin_until(lambda: list(modes.values()) == [("run", False)] * 2, 90, "both robots run")
        viewer.read_until(lambda: viewer.text.count(">Running<") == 2, 60, "the page says so of both")
        assert "Robot quadruped" in viewer.text and "Robot hexapod" in viewer.text
        labels = {label for props in viewer.elements.values() for label in props.get("_tab_labels", ())}
        assert {"left", "right"} <= labels
        viewer.press("EMERGENCY STOP")
        probe.spin_until(lambda: list(modes.values()) == [("fault", True)] * 2, 30, "both are stopped")
        viewer.read_until(lambda: viewer.text.count(">Emergency stop<") == 2, 30, "the page says so of both")


def test_a_page_in_a_namespace_shows_its_own_robots(system):
    from hd_system_tests.plain_viewer import PlainViewer

    robot(system, "quadruped", "/mine")
    robot(system, "tripod", "/other")
    address = address_of(system.start("web_viewer_node", topics={"__ns": "/mine"}, port=free_port()))
    with PlainViewer(address) as viewer:
        viewer.read_until(lambda: ">Running<" in viewer.text, 90, "the robot runs")
        assert "Robot quadruped" in viewer.text and "tripod" not in viewer.text.replace('"tripod"', "")


def test_a_port_in_use_is_said_and_the_next_one_taken(system):
    port = free_port()
    first = system.start("web_viewer_node", port=port)
    assert address_of(first) == f"http://127.0.0.1:{port}/"
    second = system.start("web_viewer_node", port=port)
    assert address_of(second) != address_of(first)
    assert f"port {port} is in use; the page is at port" in second.output


def test_another_address_asks_for_the_token_that_is_printed(system):
    address = address_of(system.start("web_viewer_node", host="0.0.0.0", port=free_port()))
    local = re.sub(r"//[^:]*:", "//127.0.0.1:", address)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(local.split("?")[0], timeout=20)
    with urllib.request.urlopen(local, timeout=20) as page:
        assert page.status == 200


@pytest.mark.parametrize(("parameters", "sentence"), [
    ({"host": "192.0.2.7"}, "the page cannot listen at '192.0.2.7'"), ({"rate": 500.0}, "parameter rate is 500"),
    ({"token_file": "/no/such/file"}, "the token file /no/such/file cannot be read")])
def test_what_makes_no_sense_is_one_sentence(system, parameters, sentence):
    viewer = system.start("web_viewer_node", **parameters)
    assert viewer.wait(60) == 1
    assert sentence in viewer.output and len(viewer.output.strip().splitlines()) == 1
