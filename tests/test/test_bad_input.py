"""Bad input while a robot runs: one clear line, nothing crashes, and a good description works at once."""

import array
import copy
import math

import pytest

BOMB = ('<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(8)) + "]><robot>&i;</robot>")


def _bad_descriptions(good: str) -> dict[str, tuple[str, str]]:
    """Texts that must be refused, each with a word of the sentence."""
    limit = good[good.index("<limit"):good.index("/>", good.index("<limit")) + 2]
    mass = good[good.index("<mass"):good.index("/>", good.index("<mass")) + 2]
    return {
        "not XML": ("this is no robot", "XML"),
        "DOCTYPE": ('<!DOCTYPE robot SYSTEM "file:///etc/passwd"><robot name="x"/>', "DOCTYPE"),
        "entity bomb": (BOMB, "DOCTYPE"),
        "50 MB": ("<robot>" + "x" * 50_000_000 + "</robot>", "characters"),
        "no limits": (good.replace(limit, "", 1), "limit"),
        "inf mass": (good.replace(mass, '<mass value="inf"/>', 1), "inf"),
        "wheel": (good.replace('type="revolute"', 'type="continuous"', 1), "continuous"),
    }


@pytest.fixture
def running(request, system, robots):
    """The three nodes with robot `quad` in mode run, and the probe; in lockstep where the test asks for it."""
    from hd_system_tests.probe import Probe

    nodes = {name: system.start(name) for name in ("controller_node",)}
    nodes["bridge_node"] = system.start("bridge_node", lockstep=getattr(request, "param", False))
    nodes["generator_node"] = system.start("generator_node", generator=robots.generator)
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "robot runs")
        probe.spin_until(lambda: len(probe.joint_states) > 5 and len(probe.commands) > 5, 10, "states and commands")
        yield nodes, probe
        assert all(node.process.poll() is None for node in nodes.values())


def _errors(node) -> list[str]:
    return [line for line in node.output.splitlines() if "[ERROR]" in line or "[WARN]" in line]


@pytest.mark.integration
@pytest.mark.parametrize("running", [False, True], ids=["real_time", "lockstep"], indirect=True)
def test_bad_descriptions(running, robots) -> None:
    """Refused by generator and bridge with the reason; the good one after each runs within a second."""
    nodes, probe = running
    names = ["tripod", "quad"]
    for number, (kind, (text, word)) in enumerate(_bad_descriptions(robots.texts["quad"]).items()):
        probe.diagnostics.clear()
        before = len(_errors(nodes["generator_node"]))
        probe.publish_description(text)
        for node in ("generator_node", "bridge_node"):
            probe.spin_until(lambda node=node, word=word: any(word in line for line in probe.troubles(node)), 5,
                             f"{kind}: {node}")
        lines = _errors(nodes["generator_node"])[before:]
        assert len(lines) == 1 and word in lines[0], (kind, lines)
        good = names[number % 2]
        probe.publish_description(robots.texts[good])
        took = probe.spin_until(lambda good=good: probe.runs(robots.bodies[good].robot_id), 5, f"{good} after {kind}")
        assert took <= 1.5 if kind == "50 MB" else took <= 1.0, (kind, took)


@pytest.mark.integration
def test_bad_states(running, robots) -> None:
    """NaN, another robot's states, missing and unknown joints: refused and counted; the policy goes on."""
    from sensor_msgs.msg import JointState

    nodes, probe = running
    body, other = robots.bodies["quad"], robots.bodies["long_quad"]
    publisher = probe.node.create_publisher(JointState, "joint_states", 10)
    probe.spin_until(lambda: publisher.get_subscription_count() >= 2, 10, "controller hears the probe")
    zeros = [0.0] * len(body.joint_names)
    nan = JointState(name=list(body.joint_names), position=[math.nan, *zeros[1:]], velocity=zeros)
    nan.header.frame_id = body.robot_id
    foreign = JointState(name=list(other.joint_names), position=zeros, velocity=zeros)
    foreign.header.frame_id = other.robot_id
    missing = JointState(name=list(body.joint_names[1:]), position=zeros[1:], velocity=zeros[1:])
    extra = JointState(name=["wheel", *body.joint_names[1:]], position=zeros, velocity=zeros)
    short = JointState(name=list(body.joint_names), position=zeros[1:], velocity=zeros)
    for message, word in [(nan, "finite"), (foreign, "robot"), (missing, "missing"), (extra, "unknown wheel"),
                          (short, "7 positions for 8 names")]:
        probe.diagnostics.clear()
        message.header.frame_id = message.header.frame_id or body.robot_id
        message.header.stamp = probe.joint_states[-1].header.stamp
        before = len(_errors(nodes["controller_node"]))
        for _ in range(3):
            publisher.publish(message)
        probe.spin_until(lambda word=word: any(word in line for line in probe.troubles("controller_node")), 3, word)
        assert len(_errors(nodes["controller_node"])) == before + 1
        count = len(probe.commands)
        probe.spin_until(lambda count=count: len(probe.commands) > count + 10, 2, "commands go on")
        assert probe.mode == "run" and any(probe.commands[-1].effort)
        assert all(math.isfinite(effort) for command in probe.commands for effort in command.effort)


@pytest.mark.integration
def test_bad_policies(running, robots) -> None:
    """Wrong hash, sizes, weights, checksum, format version: refused; the policy at hand goes on."""
    from hd_controller import qos
    from hd_msgs.msg import Policy

    nodes, probe = running
    good = probe.policies[-1]
    publisher = probe.node.create_publisher(Policy, "policy", qos.latched())
    probe.spin_until(lambda: publisher.get_subscription_count() >= 2, 10, "controller hears the probe")
    nan = array.array("f", good.weights)
    nan[5] = math.nan
    cases = {
        "description": {"description_sha256": "0" * 64}, "weights for layer sizes": {"weights": good.weights[:-3]},
        "need": {"layer_sizes": array.array("I", [17, 4, 2])}, "checksum": {"weights": nan},
        "version": {"format_version": 99}, "checksum ": {"effort_limits": array.array("d", [9.0] * 8)},
        "coverage": {"coverage_json": "{"}, "nested": {"coverage_json": "[" * 100_000},
        "body": {"morphology_json": "[]"},
    }
    messages = [("not finite", _with_nan_weights(good))]
    for word, changes in cases.items():
        message = copy.deepcopy(good)
        for field, value in changes.items():
            setattr(message, field, value)
        messages.append((word, message))
    for word, message in messages:
        probe.diagnostics.clear()
        before = len(_errors(nodes["controller_node"]))
        publisher.publish(message)
        probe.spin_until(
            lambda word=word: any(word.strip() in line for line in probe.troubles("controller_node")), 3, word)
        assert len(_errors(nodes["controller_node"])) <= before + 1
        count = len(probe.commands)
        probe.spin_until(lambda count=count: len(probe.commands) > count + 5, 2, "commands go on")
        assert probe.mode == "run"
    probe.publish_description(robots.texts["tripod"])
    probe.spin_until(lambda: probe.runs(robots.bodies["tripod"].robot_id), 1.0, "good description")


def _with_nan_weights(good):
    """A policy message with a NaN weight and the checksum that fits it."""
    from dataclasses import replace

    from hd_controller.conversions import policy_from_message, policy_to_message

    bundle = policy_from_message(good)
    weights, bias = bundle.layers[1]
    weights = weights.copy()
    weights[0, 0] = math.nan
    return policy_to_message(replace(bundle, layers=[bundle.layers[0], (weights, bias), *bundle.layers[2:]]))


@pytest.mark.integration
def test_commands_for_another_robot_are_refused(running, robots) -> None:
    """The bridge refuses and counts commands with a wrong robot_id, names, length, values or stamp.

    The controller tells of the second sender.
    """
    from builtin_interfaces.msg import Time
    from std_msgs.msg import Header

    from hd_msgs.msg import JointCommand

    _nodes, probe = running
    body = robots.bodies["quad"]
    publisher = probe.node.create_publisher(JointCommand, "joint_commands", qos_profile=1)
    probe.spin_until(lambda: publisher.get_subscription_count() >= 2, 10, "bridge hears the probe")
    efforts = [1.0] * len(body.joint_names)
    good = JointCommand(robot_id=body.robot_id, joint_names=list(body.joint_names), effort=efforts)
    good.header.stamp = probe.joint_states[-1].header.stamp
    cases = [{"robot_id": robots.bodies["long_quad"].robot_id}, {"joint_names": list(body.joint_names[1:])},
             {"effort": array.array("d", efforts[1:])}, {"effort": array.array("d", [math.nan, *efforts[1:]])},
             {"header": Header(stamp=Time(sec=good.header.stamp.sec + 1000))}]
    for number, changes in enumerate(cases, start=1):
        message = copy.deepcopy(good)
        for field, value in changes.items():
            setattr(message, field, value)
        before = int(probe.values["bridge_node"]["refused_commands"])

        def refused(message=message, before=before) -> bool:
            publisher.publish(message)
            return int(probe.values["bridge_node"]["refused_commands"]) > before

        probe.spin_until(refused, 5, f"refusal {number}")
        assert probe.mode == "run"
    probe.spin_until(lambda: any("2 nodes publish joint_commands" in line for line in
                                 probe.troubles("controller_node")), 5, "the controller tells of another one")


@pytest.mark.integration
def test_out_of_distribution_policy_is_published_and_not_activated(running, robots) -> None:
    """The controller stays in standby and says why; the next good description runs."""
    from hd_controller.urdf_writer import write_urdf
    from hd_system_tests.sample_robots import legged_robot

    _nodes, probe = running
    strange = legged_robot("giant", 4, 1, length=2.0, effort=5000.0)
    probe.publish_description(write_urdf(strange))
    probe.spin_until(lambda: probe.policies[-1].robot_id == strange.robot_id, 3, "policy is published all the same")
    probe.spin_until(lambda: "allow_out_of_distribution" in probe.statuses[-1].message, 3, "the reason in the status")
    assert probe.mode == "standby"
    probe.publish_description(robots.texts["tripod"])
    probe.spin_until(lambda: probe.runs(robots.bodies["tripod"].robot_id), 1.0, "good description")
