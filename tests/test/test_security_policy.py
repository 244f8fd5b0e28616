"""The SROS2 policy allows what the nodes really create, and nothing beyond."""

import contextlib
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from hd_system_tests.processes import wait_until

POLICY = Path(__file__).resolve().parents[2] / "deploy" / "security" / "policy.xml"
ONLY_SOMETIMES = {
    "controller_node": {"subscribe /imu", "subscribe /clock", "publish /controller_node/dry_run_commands",
                        "request /forward_effort_controller/get_parameters"},
    "generator_node": {"subscribe /clock"},
    "description_node": {"subscribe /clock"},
    "web_viewer_node": {"subscribe /clock"},
}
"""By parameter: imu in place of odom, simulated time, a dry run, a command controller to ask."""


def allowed(node: str) -> set[str]:
    """What the policy allows a node: 'publish /topic', 'subscribe /topic', 'reply /service', 'request ...'."""
    profile = ElementTree.parse(POLICY).getroot().find(f".//profile[@node='{node}']")
    assert profile is not None
    rules = set()
    for group in profile:
        (action, verdict), = group.attrib.items()
        assert verdict == "ALLOW"
        for entry in group:
            name = entry.text.replace("~", f"/{node}")
            rules.add(f"{action} {name if name.startswith('/') else f'/{name}'}")
    return rules


def created(probe, node: str) -> set[str]:
    """What the node has in the graph."""
    kinds = {"publish": probe.get_publisher_names_and_types_by_node,
             "subscribe": probe.get_subscriber_names_and_types_by_node,
             "reply": probe.get_service_names_and_types_by_node,
             "request": probe.get_client_names_and_types_by_node}
    return {f"{action} {name}" for action, query in kinds.items() for name, _types in query(node, "/")}


def agreement(probe, node: str) -> None:
    """Wait until the node has created all that the policy allows it, and nothing else."""
    rules = allowed(node)

    def agrees() -> bool:
        if node not in probe.node.get_node_names():
            return False
        found = created(probe.node, node)
        return found - ONLY_SOMETIMES[node] == rules - ONLY_SOMETIMES[node]

    try:
        probe.spin_until(agrees, 15, f"policy of {node}")
    except AssertionError:
        found = created(probe.node, node)
        raise AssertionError(f"not allowed: {sorted(found - rules)}; not needed: "
                             f"{sorted(rules - found - ONLY_SOMETIMES[node])}") from None


@pytest.mark.integration
@pytest.mark.parametrize("node", sorted(set(ONLY_SOMETIMES) - {"web_viewer_node"}))
def test_policy_is_what_the_node_needs(system, robots, node: str) -> None:
    """Compared once the node's last service is there."""
    from hd_system_tests.probe import Probe

    parameters = {"generator_node": {"generator": robots.generator}, "description_node": {"robot": robots.file("quad")}}
    system.start(node, **parameters.get(node, {}))
    with Probe(system.domain) as probe:
        agreement(probe, node)


@pytest.mark.integration
def test_policy_is_what_a_controller_on_hardware_needs(system) -> None:
    """A dry run behind ros2_control with an IMU: all but the commands themselves."""
    from hd_system_tests.probe import Probe

    system.start("controller_node", base_state="imu", dry_run=True, rearm_on_swap="manual", use_sim_time=True,
                 command_controller="forward_effort_controller")
    rules = allowed("controller_node") - {"publish /joint_commands", "subscribe /odom"}
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: "controller_node" in probe.node.get_node_names() and
                         rules <= created(probe.node, "controller_node"), 20, "all that the policy allows")
        found = created(probe.node, "controller_node")
    assert found - rules == set()


@pytest.mark.integration
def test_policy_is_what_the_page_needs_while_a_browser_is_open(system, robots) -> None:
    """With a robot there: before, the page hears and asks nothing."""
    pytest.importorskip("viser", reason="needs viser")
    from hd_system_tests.plain_viewer import PlainViewer
    from hd_system_tests.probe import Probe

    page = system.start("web_viewer_node", port=18080)
    wait_until(lambda: "operator's page: " in page.output, 60, "the page's address is printed")
    with contextlib.ExitStack() as stack:
        probe = stack.enter_context(Probe(system.domain))
        probe.publish_description(robots.texts["quad"])
        stack.enter_context(PlainViewer(re.search(r"operator's page: (\S+)", page.output)[1]))
        agreement(probe, "web_viewer_node")


def test_only_the_controller_commands_and_only_one_describes() -> None:
    """One enclave each may publish commands, policies and descriptions; none has a wildcard."""
    root = ElementTree.parse(POLICY).getroot()
    for topic, wanted in (("joint_commands", "controller_node"), ("policy", "generator_node"),
                          ("robot_description", "description_node")):
        publishers = [profile.get("node") for profile in root.iter("profile")
                      if any(entry.text == topic for group in profile.findall("topics[@publish]") for entry in group)]
        assert publishers == [wanted]
    assert not [entry.text for tag in ("topic", "service") for entry in root.iter(tag) if "*" in entry.text]
