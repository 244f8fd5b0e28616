"""Every guard through the real controller node: what trips it, what goes out, what is said, how it goes on."""

import math
from collections.abc import Callable

import numpy as np
import pytest

# Wide limits of time, so that a busy machine trips nothing by itself.
THRESHOLDS = {
    "guard_profile": "hardware", "rearm_on_swap": "auto", "trigger": "state", "state_timeout": 2.0, "max_delay": 4.0,
    "clock_jump": 30.0, "frozen_timeout": 0.1, "max_tilt": 1.0, "effort_scale": 0.5, "effort_rate_limit": 2.0,
    "start_ramp": 0.1, "e_stop_heartbeat": 6.0,
}


class Robot:
    """A controller node with the policy of one robot, its drivers and its operator."""

    def __init__(self, probe, rig, body) -> None:
        self.probe, self.rig, self.body = probe, rig, body
        self.limits = np.asarray(body.effort_limits) * THRESHOLDS["effort_scale"]

    def count(self, guard: str) -> int:
        """What /diagnostics says about a guard."""
        return int(self.probe.values.get("controller_node", {}).get(f"guard.{guard}", 0))

    def trips(self, guard: str, act: Callable[[], None], mode: str = "fault") -> None:
        """Run, act, and wait for the mode, the count and a sentence; every command since must be within limits."""
        from std_srvs.srv import SetBool, Trigger

        if self.probe.statuses[-1].e_stop_latched:
            assert self.probe.call(Trigger, "controller_node/e_stop_reset", Trigger.Request()).success
        if self.probe.mode != "run":
            assert self.probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True)).success
        self.rig.run()
        before, seen = self.count(guard), len(self.probe.commands)
        act()
        self.probe.spin_until(lambda: self.probe.mode == mode, 10, f"{guard}: mode {mode}")
        self.probe.spin_until(lambda: self.count(guard) > before, 5, f"{guard} is counted")
        assert len(self.probe.values["controller_node"][f"guard.{guard}.last"]) > 15
        for command in self.probe.commands[seen:]:
            assert (np.abs(command.effort) <= self.limits + 1e-9).all(), guard
        if mode == "fault":
            self.probe.spin_until(lambda: not any(self.probe.commands[-1].effort), 2,
                                  f"{guard}: zero efforts, as damping is for joints at rest")

    def repeat(self, times: int, **state: float) -> None:
        """Send states of one kind."""
        for _ in range(times):
            self.rig.send(*self.rig.state(**state))
            self.probe.spin_for(0.02)


@pytest.fixture
def robot(system, robots):
    """The controller alone; the probe plays everything else."""
    from hd_controller import qos
    from hd_controller.conversions import policy_to_message
    from hd_controller.generator import generate_policy
    from hd_controller.generator_bundle import GeneratorBundle
    from hd_msgs.msg import Policy
    from hd_system_tests.hardware_rig import HardwareRig
    from hd_system_tests.probe import Probe

    policy = generate_policy(robots.texts["quad"], GeneratorBundle.load(robots.generator))
    node = system.start("controller_node", **THRESHOLDS)
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        publisher = probe.node.create_publisher(Policy, "policy", qos.latched())
        publisher.publish(policy_to_message(policy))
        probe.spin_until(lambda: probe.statuses and probe.statuses[-1].robot_id, 40, "policy is loaded")
        rig = HardwareRig(probe, robots.bodies["quad"])
        rig.run(30)
        yield Robot(probe, rig, robots.bodies["quad"])
        assert node.process.poll() is None


@pytest.mark.integration
def test_input_guards(robot) -> None:
    """What is wrong with messages: each kind ends run and is counted; healthy messages go on."""
    rig = robot.rig

    def not_finite() -> None:
        for _ in range(4):
            joints, odometry = rig.state()
            joints.velocity[0] = math.nan
            rig.send(joints, odometry)
            robot.probe.spin_for(0.02)

    def joint_missing() -> None:
        for _ in range(4):
            joints, odometry = rig.state()
            joints.name = [*joints.name[:-1], "stranger"]
            rig.send(joints, odometry)
            robot.probe.spin_for(0.02)

    def repeated() -> None:
        state = rig.state()
        for _ in range(7):
            rig.send(*state)
            robot.probe.spin_for(0.02)

    def older(seconds: float, times: int) -> Callable[[], None]:
        def act() -> None:
            rig.clock_s -= seconds
            robot.repeat(times)
            rig.clock_s += seconds
        return act

    def jump() -> None:
        rig.clock_s -= 100.0
        rig.send(*rig.state())

    robot.trips("finite", not_finite)
    robot.trips("missing", joint_missing)
    robot.trips("duplicated", repeated)
    robot.trips("out_of_order", older(0.5, 8))
    robot.trips("frozen", lambda: robot.repeat(10, moves=False))
    robot.trips("stale", lambda: None)
    robot.trips("clock_jump", jump)
    rig.clock_s -= 8.0
    robot.repeat(3)
    robot.probe.spin_until(lambda: robot.count("delay") > 0, 5, "states that come late are counted")


@pytest.mark.integration
def test_posture_and_effort_guards(robot) -> None:
    """Tilt and height end run; bounds, speed, rate, size and ramp change efforts."""
    rig, probe = robot.rig, robot.probe
    robot.trips("tilt", lambda: robot.repeat(1, tilt=1.2))
    robot.trips("base_height", lambda: robot.repeat(1, height=0.4 * robot.body.standing_height))
    robot.probe.spin_until(lambda: robot.count("start_ramp") >= 2, 5, "each start has its ramp")
    robot.trips("effort_rate", lambda: None, mode="run")
    seen = len(probe.commands)
    for _ in range(20):
        rig.answer()
    efforts = np.array([np.zeros_like(robot.limits), *[command.effort for command in probe.commands[seen + 1:]]])
    largest_change = 2.0 * 0.02 * np.asarray(robot.body.effort_limits)
    assert np.ptp(efforts, axis=0).any()
    assert (np.abs(np.diff(efforts[1:], axis=0)) <= largest_change + 1e-9).all()
    ranges = robot.body.joint_ranges
    for sign, bound in ((1, ranges[:, 1].max() + 0.01), (-1, ranges[:, 0].min() - 0.01)):
        assert (sign * np.array(rig.answer(position=float(bound)).effort) <= 0).all()
        speed = sign * (float(robot.body.velocity_limits.max()) + 1)
        assert (sign * np.array(rig.answer(velocity=speed).effort) <= 0).all()
    robot.trips("position_bound", lambda: robot.repeat(5, position=float(ranges[:, 1].max())), mode="run")
    robot.trips("velocity_limit", lambda: robot.repeat(5, velocity=100.0), mode="run")
    robot.repeat(1, tilt=1.2)
    probe.spin_until(lambda: probe.mode == "fault", 5, "fault")
    assert np.abs(rig.answer(velocity=1e4).effort) == pytest.approx(robot.limits)
    probe.spin_until(lambda: robot.count("effort") > 0, 5, "efforts that were clipped are counted")


@pytest.mark.integration
def test_stops_and_heartbeat(robot) -> None:
    """The stop latches; so does silence on its topic; without a heartbeat nothing can be enabled."""
    from std_srvs.srv import SetBool, Trigger

    robot.trips("e_stop", robot.rig.stop)
    assert robot.probe.statuses[-1].e_stop_latched

    def silence() -> None:
        robot.rig.heartbeat = False
        for _ in range(100):
            robot.repeat(5)
            if robot.probe.mode == "fault":
                return

    robot.trips("e_stop", silence)
    assert "silence" in robot.probe.statuses[-1].message
    assert robot.probe.call(Trigger, "controller_node/e_stop_reset", Trigger.Request()).success
    refused = robot.probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True))
    assert not refused.success and "heartbeat" in refused.message


@pytest.mark.integration
def test_a_delayed_command_does_not_act(system, robots) -> None:
    """The bridge, as drives should: a command that answers an old state is dropped, counted and said."""
    from hd_controller.conversions import set_stamp, stamp_to_ns
    from hd_msgs.msg import JointCommand
    from hd_system_tests.probe import Probe

    body = robots.bodies["quad"]
    system.start("bridge_node", hold_until_command=False)
    with Probe(system.domain) as probe:
        publisher = probe.node.create_publisher(JointCommand, "joint_commands", 1)
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: len(probe.joint_states) > 60, 30, "a simulated robot")
        command = JointCommand(robot_id=body.robot_id, joint_names=list(body.joint_names),
                               effort=[5.0] * len(body.joint_names))

        def delayed() -> bool:
            set_stamp(command.header.stamp, stamp_to_ns(probe.joint_states[-1].header.stamp) - 500_000_000)
            publisher.publish(command)
            return int(probe.values["bridge_node"]["expired_commands"]) >= 2

        probe.spin_until(lambda: "bridge_node" in probe.values, 5, "diagnostics")
        probe.spin_until(delayed, 10, "expired commands are counted")
        assert any("over 0.1 s old" in sentence for sentence in probe.troubles("bridge_node"))
