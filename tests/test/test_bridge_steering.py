"""The simulation bridge when it is steered and when its sensors, motors and body are not perfect."""

from itertools import pairwise

import pytest


def _seconds(probe) -> float:
    stamp = probe.joint_states[-1].header.stamp
    return stamp.sec + stamp.nanosec * 1e-9


@pytest.mark.integration
@pytest.mark.parametrize("lockstep", [False, True])
def test_steered_by_services(system, robots, lockstep: bool) -> None:
    """Steps by number, reset with seed and pose, push, saved states; what makes no sense is refused in a sentence."""
    from std_srvs.srv import SetBool

    from hd_msgs.srv import NamedState, Push, ResetSimulation, StepSimulation
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node", lockstep=lockstep)
    robot_id = robots.bodies["quad"].robot_id
    with Probe(system.domain) as probe:
        answer = probe.call(NamedState, "bridge_node/save_state", NamedState.Request(name="a"), 20)
        assert not answer.success and "no robot" in answer.message
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robot_id), 30, "robot runs")
        assert not probe.call(StepSimulation, "bridge_node/step_many", StepSimulation.Request(steps=5)).success
        assert probe.call(SetBool, "bridge_node/set_pause", SetBool.Request(data=True)).success
        probe.spin_for(0.3)
        stood = _seconds(probe)
        assert probe.call(StepSimulation, "bridge_node/step_many", StepSimulation.Request(steps=7)).success
        probe.spin_until(lambda: _seconds(probe) == pytest.approx(stood + 7 * 0.02, abs=1e-6), 5, "seven steps")
        request = ResetSimulation.Request(seed=3, set_pose=True)
        request.pose.position.x, request.pose.position.z, request.pose.orientation.z = 4.0, 2.5, 1.0
        request.pose.orientation.w = 0.0
        assert probe.call(ResetSimulation, "bridge_node/reset_to", request).success
        probe.spin_until(lambda: probe.odometry[-1].pose.pose.position.x == 4.0, 5, "the robot is put there")
        place = probe.odometry[-1].pose.pose
        assert (place.position.z, place.orientation.z) == (2.5, 1.0)
        assert probe.call(NamedState, "bridge_node/save_state", NamedState.Request(name="high")).success
        answer = probe.call(Push, "bridge_node/push", Push.Request(limb="nobody"))
        assert not answer.success and "nobody" in answer.message
        push = Push.Request(duration=0.1)
        push.wrench.force.y = 300.0
        assert probe.call(Push, "bridge_node/push", push).success
        assert probe.call(StepSimulation, "bridge_node/step_many", StepSimulation.Request(steps=5)).success
        probe.spin_until(lambda: abs(probe.odometry[-1].twist.twist.linear.y) > 0.3, 5, "the push moves it")
        probe.spin_for(0.3)
        before = _seconds(probe)
        assert probe.call(NamedState, "bridge_node/restore_state", NamedState.Request(name="high")).success
        probe.spin_until(lambda: probe.odometry[-1].pose.pose == place, 5, "the saved state is back")
        probe.spin_until(lambda: _seconds(probe) == pytest.approx(before + 0.02, abs=1e-6), 5, "time goes on")
        answer = probe.call(NamedState, "bridge_node/restore_state", NamedState.Request(name="low"))
        assert not answer.success and "'high'" in answer.message
        stamps = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in probe.joint_states]
        assert stamps == sorted(stamps)


@pytest.mark.integration
def test_the_real_time_factor_can_be_changed(system, robots) -> None:
    """By parameter while it runs; a value that makes no sense is refused."""
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters

    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node")
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "robot runs")

        def set_factor(factor: float):
            value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=factor)
            request = SetParameters.Request(parameters=[Parameter(name="real_time_factor", value=value)])
            return probe.call(SetParameters, "bridge_node/set_parameters", request).results[0]

        assert set_factor(0.25).successful
        before = _seconds(probe)
        probe.spin_for(2.0)
        assert _seconds(probe) - before == pytest.approx(0.5, abs=0.2)
        refused = set_factor(-1.0)
        assert not refused.successful and "positive" in refused.reason
        assert set_factor(1.0).successful
        before = _seconds(probe)
        probe.spin_for(2.0)
        assert _seconds(probe) - before > 1.2
        assert probe.runs(robots.bodies["quad"].robot_id)


ROUGH = {"sensor_noise.joint_position": 0.01, "sensor_bias.position": 0.05, "sensor_delay": 0.02, "sensor_drop": 0.1,
         "actuator_delay": 0.01, "effort_noise": 0.05, "friction_spread": 0.2, "mass_spread": 0.1}


@pytest.mark.integration
def test_a_rough_run_in_lockstep_is_repeated_bit_by_bit_by_its_seed(system, robots, tmp_path) -> None:
    """With everything wrong at once; another seed gives another run, and truth stays apart from sensors."""
    import numpy as np
    from sensor_msgs.msg import JointState

    from hd_controller import qos
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    runs = []
    with Probe(system.domain) as probe:
        truth: list[JointState] = []
        probe.node.create_subscription(JointState, "ground_truth/joint_states", truth.append, qos.volatile(True))
        for number, seed in enumerate((5, 5, 6)):
            record = tmp_path / f"{number}.npz"
            bridge = system.start("bridge_node", lockstep=True, duration=4.0, seed=seed, record=record, **ROUGH)
            probe.publish_description(robots.texts["hexapod"])
            probe.spin_until(lambda bridge=bridge: bridge.process.poll() is not None, 60, "the run ends")
            assert bridge.wait() == 0, bridge.output
            with np.load(record) as data:
                runs.append(data["qpos"][:150])
        shown = {(m.header.stamp.sec, m.header.stamp.nanosec): np.array(m.position) for m in probe.joint_states}
        pairs = [(shown[key], np.array(m.position)) for m in truth
                 if (key := (m.header.stamp.sec, m.header.stamp.nanosec)) in shown]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])
    assert len(pairs) > 100


@pytest.mark.integration
def test_contacts_torques_and_truth(system, robots) -> None:
    """What only a simulation knows: forces that carry the robot, the commanded torques, and truth beside noise."""
    import numpy as np
    from sensor_msgs.msg import JointState

    from hd_controller import qos
    from hd_msgs.msg import Contacts
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node", **{"sensor_noise.joint_position": 0.01})
    with Probe(system.domain) as probe:
        contacts: list[Contacts] = []
        torques: list[JointState] = []
        truth: list[JointState] = []
        for kind, topic, found in ((Contacts, "contacts", contacts), (JointState, "joint_torques", torques),
                                   (JointState, "ground_truth/joint_states", truth)):
            probe.node.create_subscription(kind, topic, found.append, qos.volatile(True))
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "robot runs")
        probe.spin_until(lambda: any(message.contacts for message in contacts), 10, "it touches the ground")
        probe.spin_for(1.0)
    touching = [contact for message in contacts for contact in message.contacts]
    assert {contact.other for contact in touching} >= {"ground"}
    assert {contact.limb for contact in touching} <= {limb.name for limb in robots.bodies["quad"].limbs}
    assert any(contact.force.z > 1.0 for contact in touching)
    limits = np.array(robots.bodies["quad"].effort_limits)
    assert any(np.abs(message.effort).max() > 0 for message in torques)
    assert all((np.abs(message.effort) <= limits).all() for message in torques)
    shown = {(m.header.stamp.sec, m.header.stamp.nanosec): np.array(m.position) for m in probe.joint_states}
    errors = [shown[key] - np.array(m.position) for m in truth
              if (key := (m.header.stamp.sec, m.header.stamp.nanosec)) in shown]
    assert len(errors) > 20 and np.std(errors) == pytest.approx(0.01, rel=0.3)


@pytest.mark.integration
@pytest.mark.parametrize(("lockstep", "delay_s"), [(False, 0.0), (True, 0.04)])
def test_time_never_goes_back(system, robots, lockstep: bool, delay_s: float) -> None:
    """Over resets, restored states, swaps and a swap back: the clock and the stamps of what sensors show."""
    from rosgraph_msgs.msg import Clock

    from hd_controller import qos
    from hd_msgs.srv import NamedState, ResetSimulation
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node", lockstep=lockstep, sensor_delay=delay_s)
    with Probe(system.domain) as probe:
        times: list[int] = []
        probe.node.create_subscription(
            Clock, "/clock", lambda message: times.append(message.clock.sec * 10**9 + message.clock.nanosec),
            qos.volatile(True))

        def steps(count: int) -> None:
            reached = len(times) + count
            probe.spin_until(lambda: len(times) >= reached, 20, f"{count} steps")

        for name in ("quad", "hexapod", "quad"):
            probe.publish_description(robots.texts[name])
            probe.spin_until(lambda name=name: probe.runs(robots.bodies[name].robot_id), 30, f"{name} runs")
            assert probe.call(NamedState, "bridge_node/save_state", NamedState.Request(name="a")).success
            steps(10)
            assert probe.call(ResetSimulation, "bridge_node/reset_to", ResetSimulation.Request(seed=1)).success
            steps(10)
            assert probe.call(NamedState, "bridge_node/restore_state", NamedState.Request(name="a")).success
            steps(10)
    assert len(times) > 90 and all(late > early for early, late in pairwise(times))
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in probe.joint_states]
    assert stamps == sorted(stamps) and stamps[-1] <= times[-1]
