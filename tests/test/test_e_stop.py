"""The emergency stop: any publisher's durability, latched, never released by `false` or by a reset alone."""

import numpy as np
import pytest


def _start(system, robots) -> None:
    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node")


@pytest.mark.integration
@pytest.mark.parametrize("durability", ["volatile", "transient_local"])
def test_stops_a_running_robot_and_stays_latched(system, robots, durability: str) -> None:
    """`true` ends run with damping; `false` and a swap don't resume; reset and enable do."""
    from std_msgs.msg import Bool
    from std_srvs.srv import SetBool, Trigger

    from hd_controller import qos
    from hd_system_tests.probe import Probe

    _start(system, robots)
    with Probe(system.domain) as probe:
        profile = qos.latched() if durability == "transient_local" else 10
        stop = probe.node.create_publisher(Bool, "e_stop", profile)
        probe.publish_description(robots.texts["quad"])
        robot_id = robots.bodies["quad"].robot_id
        probe.spin_until(lambda: probe.runs(robot_id), 30, "robot runs")
        probe.spin_until(lambda: stop.get_subscription_count() > 0, 10, "controller hears e_stop")
        stop.publish(Bool(data=True))
        probe.spin_until(lambda: probe.mode == "fault" and probe.statuses[-1].e_stop_latched, 1, "emergency stop")
        probe.spin_for(0.3)
        _assert_damping(probe)
        stop.publish(Bool(data=False))
        probe.publish_description(robots.texts["tripod"])
        probe.spin_for(1.0)
        assert probe.mode == "fault"
        refused = probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True))
        assert not refused.success and "e_stop_reset" in refused.message
        assert probe.call(Trigger, "controller_node/e_stop_reset", Trigger.Request()).success
        probe.spin_for(0.5)
        assert probe.mode == "standby"
        assert probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True)).success
        probe.spin_until(lambda: probe.runs(robots.bodies["tripod"].robot_id), 2, "runs again")


def _assert_damping(probe) -> None:
    """The last commands oppose the joint velocities of the states they answer."""
    states = {(s.header.stamp.sec, s.header.stamp.nanosec): s for s in probe.joint_states}
    checked = 0
    for command in probe.commands[-5:]:
        state = states.get((command.header.stamp.sec, command.header.stamp.nanosec))
        if state is not None:
            np.testing.assert_allclose(command.effort, -1.0 * np.array(state.velocity), atol=1e-12)
            checked += 1
    assert checked


@pytest.mark.integration
@pytest.mark.parametrize("durability", ["volatile", "transient_local"])
def test_stop_before_the_controller_is_active(system, robots, durability: str) -> None:
    """A stop from before the activation holds: sent to an inactive controller, or kept by its publisher."""
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState
    from std_msgs.msg import Bool

    from hd_controller import qos
    from hd_system_tests.probe import Probe

    with Probe(system.domain) as probe:
        late = durability == "transient_local"
        stop = probe.node.create_publisher(Bool, "e_stop", qos.latched() if late else 10)
        if late:
            stop.publish(Bool(data=True))
        system.start("controller_node", autostart=False)
        system.start("generator_node", generator=robots.generator)
        system.start("bridge_node")
        if not late:
            probe.spin_until(lambda: stop.get_subscription_count() > 0, 20, "controller hears e_stop")
            stop.publish(Bool(data=True))
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            request = ChangeState.Request(transition=Transition(id=transition))
            assert probe.call(ChangeState, "controller_node/change_state", request, 20).success
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.policies, 20, "policy")
        probe.spin_until(lambda: probe.statuses and probe.statuses[-1].e_stop_latched, 10, "latched")
        probe.spin_for(1.0)
        assert probe.mode == "fault" and not any(status.mode == "run" for status in probe.statuses)


@pytest.mark.integration
def test_stop_before_the_controller_process(system, robots) -> None:
    """One message of a publisher with default QoS, gone before the controller starts, still stops it."""
    from std_msgs.msg import Bool

    from hd_system_tests.probe import Probe

    with Probe(system.domain) as probe:
        system.start("generator_node", generator=robots.generator)
        stop = probe.node.create_publisher(Bool, "e_stop", 10)
        repeated = []
        probe.node.create_subscription(Bool, "e_stop", repeated.append, 10)
        probe.spin_until(lambda: stop.get_subscription_count() > 2, 20, "generator hears e_stop")
        stop.publish(Bool(data=True))
        probe.spin_until(lambda: len(repeated) > 1, 10, "the stop is kept")
        probe.node.destroy_publisher(stop)
        system.start("controller_node")
        system.start("bridge_node")
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.statuses and probe.statuses[-1].e_stop_latched, 20, "latched")
        probe.spin_until(lambda: probe.policies, 20, "policy")
        probe.spin_for(1.0)
        assert probe.mode == "fault" and not any(status.mode == "run" for status in probe.statuses)


@pytest.mark.integration
def test_services(system, robots) -> None:
    """~/e_stop_trigger stops, ~/enable false and true switch between standby and run."""
    from std_srvs.srv import SetBool, Trigger

    from hd_system_tests.probe import Probe

    _start(system, robots)
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        robot_id = robots.bodies["quad"].robot_id
        probe.spin_until(lambda: probe.runs(robot_id), 30, "robot runs")
        assert probe.call(SetBool, "controller_node/enable", SetBool.Request(data=False)).success
        probe.spin_until(lambda: probe.mode == "standby", 2, "standby")
        assert probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True)).success
        probe.spin_until(lambda: probe.runs(robot_id), 2, "run")
        assert probe.call(Trigger, "controller_node/e_stop_trigger", Trigger.Request()).success
        probe.spin_until(lambda: probe.mode == "fault", 2, "fault")
