"""The simulation bridge: services, command age, lockstep without a controller, namespaces, steady clock trigger."""

import re
from itertools import pairwise

import pytest

NO_TRIPS = {"state_timeout": 1.0, "max_delay": 0, "clock_jump": 0, "max_tilt": 0, "min_height": 0, "frozen_timeout": 0}
"""For random policies on a busy machine: the guards of the hardware profile that could end run."""


def _seconds(probe) -> float:
    stamp = probe.joint_states[-1].header.stamp
    return stamp.sec + stamp.nanosec * 1e-9


@pytest.mark.integration
@pytest.mark.parametrize("lockstep", [False, True])
def test_pause_step_and_reset(system, robots, lockstep: bool) -> None:
    """Time stands while paused, moves by one period per step, and never goes back."""
    from std_srvs.srv import SetBool, Trigger

    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node", lockstep=lockstep)
    robot_id = robots.bodies["quad"].robot_id
    with Probe(system.domain) as probe:
        assert not probe.call(Trigger, "bridge_node/step", Trigger.Request(), 20).success
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robot_id), 30, "robot runs")
        assert probe.call(SetBool, "bridge_node/set_pause", SetBool.Request(data=True)).success
        probe.spin_for(0.3)
        stood = _seconds(probe)
        probe.spin_for(0.3)
        assert _seconds(probe) == stood
        for number in range(1, 4):
            assert probe.call(Trigger, "bridge_node/step", Trigger.Request()).success
            due = stood + number * 0.02
            probe.spin_until(lambda due=due: _seconds(probe) == pytest.approx(due, abs=1e-6), 2, "one step")
        assert probe.call(SetBool, "bridge_node/set_pause", SetBool.Request(data=False)).success
        probe.spin_until(lambda: _seconds(probe) > stood + 1.0, 10, "time goes on")
        probe.spin_until(lambda: probe.runs(robot_id), 5, "runs again by itself")
        before = _seconds(probe)
        assert probe.call(Trigger, "bridge_node/reset", Trigger.Request()).success
        probe.spin_until(lambda: _seconds(probe) > before + 0.1, 5, "time goes on after the reset")
        stamps = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in probe.joint_states]
        assert stamps == sorted(stamps)


@pytest.mark.integration
def test_without_commands_the_efforts_become_zero_and_lockstep_says_so(system, robots) -> None:
    """A controller that is killed: lockstep gives up with a sentence, a timed run ends with exit code 1."""
    from hd_system_tests.probe import Probe

    controller = system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node", lockstep=True, duration=100000.0)
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "robot runs")
        controller.process.kill()
        controller.process.wait()
        probe.spin_until(lambda: bridge.process.poll() is not None, 10, "the bridge gives up")
    assert bridge.process.returncode == 1
    assert "no command has answered" in bridge.output
    system.nodes.remove(controller)


@pytest.mark.integration
def test_real_time_goes_limp_without_commands(system, robots) -> None:
    """In real time the watchdog takes over when the controller is killed."""
    from hd_system_tests.probe import Probe

    controller = system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node")
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "robot runs")
        controller.process.kill()
        controller.process.wait()
        probe.spin_until(lambda: "efforts are zero" in bridge.output, 3, "watchdog")
    system.nodes.remove(controller)


@pytest.mark.integration
def test_steady_clock_trigger_waits_for_enable(system, robots) -> None:
    """As on hardware: standby with damping until enabled; then fifty commands a second, each with its state's stamp."""
    from std_srvs.srv import SetBool

    from hd_system_tests.probe import Probe
    from hd_system_tests.processes import WithoutCore

    system.start("controller_node", trigger="steady_clock", rearm_on_swap="manual", guard_profile="hardware",
                 executor="single", **NO_TRIPS)
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node", executor="single")
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["hexapod"])
        probe.spin_until(lambda: len(probe.commands) > 10, 60, "damping commands")
        assert probe.mode == "standby"
        assert probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True), 60).success
        probe.spin_until(lambda: probe.runs(robots.bodies["hexapod"].robot_id), 60, "run")
        count, without_core = len(probe.commands), WithoutCore(system.nodes)
        probe.spin_until(lambda: len(probe.commands) > count + 50, 60, "fifty commands")
        took_s = probe.command_times[count + 50] - probe.command_times[count]
        assert 0.84 < took_s < 1.2 + without_core.seconds()

        def answered() -> int:
            stamps = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in probe.joint_states}
            return sum((c.header.stamp.sec, c.header.stamp.nanosec) in stamps for c in probe.commands[count:count + 50])

        probe.spin_until(lambda: answered() >= 44, 10, "the states that the commands answer")
        probe.publish_description(robots.texts["quad"])
        bound = robots.bodies["quad"].robot_id
        probe.spin_until(lambda: probe.statuses[-1].robot_id == bound, 60, "new policy")
        probe.spin_for(0.5)
        assert probe.mode == "standby", "manual: a swap needs enabling again"


@pytest.mark.integration
def test_timed_run_that_cannot_start_says_why(system, robots) -> None:
    """A robot outside the trained range: exit code 1 with the controller's own sentence, said once, and soon."""
    from hd_controller.urdf_writer import write_urdf
    from hd_system_tests.sample_robots import legged_robot

    file = robots.folder / "giant.urdf"
    file.write_text(write_urdf(legged_robot("giant", 4, 1, length=2.0, effort=5000.0)))
    controller = system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node", duration=5.0, start_timeout=600.0)
    system.start("description_node", robot=file)
    assert bridge.wait(40) == 1
    assert "outside the trained range" in bridge.output
    assert controller.output.count("outside the trained range") == 1, controller.output


@pytest.mark.integration
def test_distance_of_a_timed_run_survives_a_reset(system) -> None:
    """The summary adds the ways before and after ~/reset, and the way back to the spawn pose is none."""
    from std_srvs.srv import Trigger

    from hd_controller.shipped_files import robot_file
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node")
    bridge = system.start("bridge_node", duration=6.0)
    with Probe(system.domain) as probe:
        probe.publish_description(robot_file("quadruped").read_text())
        probe.spin_until(lambda: probe.mode == "run", 40, "robot runs")
        probe.spin_until(lambda: probe.odometry and probe.odometry[-1].pose.pose.position.x > 0.3, 10, "way")
        assert probe.call(Trigger, "bridge_node/reset", Trigger.Request()).success
        probe.spin_until(lambda: bridge.process.poll() is not None, 60, "the run ends")
    ways = [message.pose.pose.position.x for message in probe.odometry]
    steps = [after - before for before, after in pairwise(ways)]
    assert min(steps) < -0.25, "the reset is among them"
    summary = float(re.search(r"distance: +(-?[0-9.]+) m", bridge.output)[1])
    assert summary == pytest.approx(sum(step for step in steps if step > -0.25), abs=0.06)


@pytest.mark.integration
def test_what_was_assumed_of_a_description_is_a_warning_of_who_reads_it(system, robots) -> None:
    """A URDF without our extension: description node and generator say so with a level, the bridge need not."""
    from hd_system_tests.probe import Probe

    text = re.sub(r"<hd_morphology.*?</hd_morphology>", "", robots.texts["quad"], flags=re.DOTALL)
    file = robots.folder / "plain.urdf"
    file.write_text(text)
    nodes = {name: system.start(name) for name in ("controller_node", "bridge_node")}
    nodes["generator_node"] = system.start("generator_node", generator=robots.generator)
    nodes["description_node"] = system.start("description_node", robot=file)
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: probe.policies, 30, "policy")
        probe.spin_until(lambda: "no <hd_morphology>" in nodes["generator_node"].output, 3, "generator's note")
    lines = {name: [line for line in node.output.splitlines() if "hd_morphology" in line]
             for name, node in nodes.items()}
    assert [len(lines[name]) for name in ("controller_node", "bridge_node")] == [0, 0]
    for name in ("generator_node", "description_node"):
        assert len(lines[name]) == 1 and "[WARN]" in lines[name][0], lines


@pytest.mark.integration
def test_generate_service(system, robots) -> None:
    """~/generate answers with a policy or a sentence and publishes nothing."""
    from hd_msgs.srv import GeneratePolicy
    from hd_system_tests.probe import Probe

    system.start("generator_node", generator=robots.generator)
    with Probe(system.domain) as probe:
        request = GeneratePolicy.Request(description=robots.texts["hexapod"])
        answer = probe.call(GeneratePolicy, "generator_node/generate", request, 20)
        assert answer.success and answer.policy.robot_id == robots.bodies["hexapod"].robot_id
        answer = probe.call(GeneratePolicy, "generator_node/generate", GeneratePolicy.Request(description="<robot/>"))
        assert not answer.success and len(answer.message) > 20
        assert not probe.policies


@pytest.mark.integration
def test_set_robot_swaps_and_reports(system, robots) -> None:
    """The command sets the robot of the running description node; a refused file changes nothing."""
    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node")
    description = system.start("description_node", robot=robots.file("quad"))
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "first robot")
        good = system.start("set_robot", [str(robots.file("tripod"))])
        probe.spin_until(lambda: probe.runs(robots.bodies["tripod"].robot_id), 20, "second robot")
        assert good.wait() == 0 and "tripod.urdf" in good.output
        bad_file = robots.folder / "bad.urdf"
        bad_file.write_text("no robot")
        bad = system.start("set_robot", [str(bad_file)])
        assert bad.wait(20) == 1 and "refused" in bad.output and len(bad.output.splitlines()) == 1
        lost = system.start("set_robot", ["quad", "--node", "nobody", "--timeout", "1"])
        assert lost.wait(20) == 1 and "nobody" in lost.output
        probe.spin_for(0.5)
        assert probe.runs(robots.bodies["tripod"].robot_id)
        assert description.process.poll() is None
