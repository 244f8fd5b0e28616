"""Messages of any content: refused with the documented error or used safely; running nodes live on."""

import array
import math

import numpy as np
import pytest

WILD = (math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, 0.0, -1.0, 1e9)
TEXTS = ("", "x", "a" * 5000, "\u202e", "[ERROR]\n", "0" * 64, "{}", "[]", "null", '{"limbs": 5}')


def _pick(random: np.random.Generator, items):
    return items[int(random.integers(len(items)))]


def _damaged_list(values: list, random: np.random.Generator, strange: tuple) -> list:
    """A list with an entry changed, lost, doubled, or all of it replaced."""
    values, kind = list(values), int(random.integers(5))
    if kind == 0 or not values:
        return [_pick(random, strange)] * int(random.integers(0, 40))
    place = int(random.integers(len(values)))
    if kind == 1:
        del values[place]
    elif kind == 2:
        values.insert(place, values[place])
    else:
        values[place] = _pick(random, strange)
    return values


def damage_policy(message, random: np.random.Generator) -> None:
    """One to three fields of hd_msgs/Policy."""
    for _ in range(int(random.integers(1, 4))):
        field = _pick(random, sorted(message.get_fields_and_field_types()))
        value = getattr(message, field)
        if field == "header":
            continue
        if isinstance(value, str):
            setattr(message, field, _pick(random, (*TEXTS, value[: len(value) // 2], value.swapcase())))
        elif isinstance(value, int):
            setattr(message, field, int(random.integers(0, 2**32)))
        elif isinstance(value, float):
            setattr(message, field, _pick(random, WILD) if field.endswith("_s") else float(np.float32(random.normal())))
        elif isinstance(value, array.array):
            strange = WILD[:3] + WILD[5:] if value.typecode != "I" else (0, 1, 17, 2**32 - 1)
            setattr(message, field, array.array(value.typecode, _damaged_list(list(value), random, strange)))
        else:
            setattr(message, field, _damaged_list(value, random, TEXTS))


def damage_joint_state(message, random: np.random.Generator) -> None:
    """Names, positions, velocities and stamp of sensor_msgs/JointState."""
    kind = int(random.integers(5))
    if kind == 0:
        message.name = _damaged_list(list(message.name), random, TEXTS)
    elif kind == 1:
        message.position = array.array("d", _damaged_list(list(message.position), random, WILD))
    elif kind == 2:
        message.velocity = array.array("d", _damaged_list(list(message.velocity), random, WILD))
    elif kind == 3:
        message.header.frame_id = _pick(random, TEXTS)
    else:
        message.header.stamp.sec = _pick(random, (-(2**31), -1, 0, 2**31 - 1))
        message.header.stamp.nanosec = _pick(random, (0, 999_999_999, 2**32 - 1))


def damage_odometry(message, random: np.random.Generator) -> None:
    """Pose and twist of nav_msgs/Odometry."""
    part = _pick(random, (message.pose.pose.position, message.pose.pose.orientation, message.twist.twist.linear,
                          message.twist.twist.angular))
    setattr(part, _pick(random, "xyz"), _pick(random, WILD))


@pytest.fixture(scope="module")
def policy(robots):
    """A policy message and its bundle."""
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    from hd_controller.conversions import policy_to_message
    from hd_controller.generator import generate_policy
    from hd_controller.generator_bundle import GeneratorBundle

    bundle = generate_policy(robots.texts["quad"], GeneratorBundle.load(robots.generator))
    return policy_to_message(bundle), bundle


def test_any_policy_message(policy) -> None:
    """Refused with HdError, or as good as the one that was sent."""
    import copy

    from hd_controller.conversions import policy_from_message
    from hd_controller.errors import HdError

    good, bundle = policy
    assert policy_from_message(good).checksum == bundle.checksum
    refused = 0
    for number in range(400):
        message = copy.deepcopy(good)
        damage_policy(message, np.random.default_rng([7, number]))
        try:
            assert policy_from_message(message).checksum == bundle.checksum, number  # what changed is not covered
        except HdError:
            refused += 1
    assert 200 < refused


@pytest.mark.integration
def test_running_nodes_live_on_under_damaged_messages(system, robots) -> None:
    """A burst of damaged policies, joint states and odometry: commands stay bounded, and the policy at hand goes on.

    Or it was stopped by the guard of finite efforts, for a damaged state of finite numbers can look whole and be huge.
    """
    import copy

    from nav_msgs.msg import Odometry
    from sensor_msgs.msg import JointState

    from hd_controller import qos
    from hd_msgs.msg import Policy
    from hd_system_tests.probe import Probe

    body = robots.bodies["quad"]
    nodes = [system.start("controller_node"), system.start("bridge_node"),
             system.start("generator_node", generator=robots.generator)]
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(body.robot_id), 30, "robot runs")
        probe.spin_until(lambda: probe.joint_states and probe.odometry and probe.policies, 10, "states")
        publishers = [(probe.node.create_publisher(Policy, "policy", qos.latched()), probe.policies, damage_policy),
                      (probe.node.create_publisher(JointState, "joint_states", 10), probe.joint_states,
                       damage_joint_state),
                      (probe.node.create_publisher(Odometry, "odom", 10), probe.odometry, damage_odometry)]
        good = [copy.deepcopy(received[-1]) for _publisher, received, _damage in publishers]
        probe.spin_until(lambda: all(item[0].get_subscription_count() >= 2 for item in publishers), 10, "heard")
        for number in range(150):
            random = np.random.default_rng([8, number])
            (publisher, received, damage), template = publishers[number % 3], good[number % 3]
            message = copy.deepcopy(template)
            if publisher is not publishers[0][0]:
                message.header.stamp = received[-1].header.stamp
            damage(message, random)
            publisher.publish(message)
            probe.spin_for(0.02)
        count = len(probe.commands)
        probe.spin_until(lambda: len(probe.commands) > count + 20, 10, "commands go on")
        stopped = "the policy gave efforts that are not finite"
        probe.spin_until(lambda: probe.runs(body.robot_id) or probe.statuses[-1].message == stopped, 10,
                         "the policy at hand runs, or was stopped by the guard of finite efforts")
        limit = body.effort_limits.max() * (1 + 1e-6)
        efforts = [value for command in probe.commands for value in command.effort]
        assert all(math.isfinite(value) and abs(value) <= limit for value in efforts)
        assert all(node.process.poll() is None for node in nodes)
