"""SIGINT and SIGTERM: a zero command first, exit code 0, no traceback, before a held node would end itself."""

import re
import signal
from pathlib import Path

import pytest

from hd_controller.signals import END_WITHIN_S
from hd_system_tests.processes import wait_until

SHARED_MEMORY = re.compile(r"/dev/shm/fast(?:dds|rtps)_[0-9a-f]{16}")


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_zero_command_then_a_clean_end(system, robots, number: int) -> None:
    """The controller's last command is zero; every node ends with code 0 (1: it was held)."""
    from hd_system_tests.probe import Probe

    controller = system.start("controller_node")
    others = [system.start("generator_node", generator=robots.generator), system.start("bridge_node"),
              system.start("description_node", robot=robots.file("quad"))]
    with Probe(system.domain) as probe:
        probe.spin_until(lambda: probe.runs(robots.bodies["quad"].robot_id), 30, "robot runs")
        probe.spin_for(0.2)
        assert any(probe.commands[-1].effort)
        controller.send(number)
        probe.spin_until(lambda: probe.commands and not any(probe.commands[-1].effort), 2, "zero command")
        for node in others:
            node.send(number)
        assert [node.wait(END_WITHIN_S + 5) for node in [controller, *others]] == [0, 0, 0, 0]
        probe.spin_for(0.3)
        assert not any(probe.commands[-1].effort)


@pytest.mark.integration
@pytest.mark.parametrize("executor", ["events", "single"])
def test_an_ended_node_has_left_the_middleware(system, executor: str) -> None:
    """Its shared memory is gone with it: else others take it for one that was killed."""
    node = system.start("controller_node", executor=executor)
    wait_until(lambda: "standby" in node.output, 30, "controller runs")
    used = set(map(Path, SHARED_MEMORY.findall(Path(f"/proc/{node.process.pid}/maps").read_text())))
    if not used:
        pytest.skip("the middleware uses no shared memory of Fast DDS")
    node.send(signal.SIGINT)
    assert node.wait(10) == 0
    assert not [file for file in used if file.exists()]


@pytest.mark.integration
def test_deactivation_sends_one_zero_command_then_silence(system, robots) -> None:
    """Leaving the lifecycle state active, and coming back."""
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    from hd_system_tests.probe import Probe

    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    system.start("bridge_node")
    robot_id = robots.bodies["quad"].robot_id
    with Probe(system.domain) as probe:
        probe.publish_description(robots.texts["quad"])
        probe.spin_until(lambda: probe.runs(robot_id), 30, "robot runs")
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
        assert probe.call(ChangeState, "controller_node/change_state", request).success
        probe.spin_for(0.3)
        count = len(probe.commands)
        assert not any(probe.commands[-1].effort) and any(probe.commands[-2].effort)
        probe.spin_for(0.5)
        assert len(probe.commands) == count
        request.transition.id = Transition.TRANSITION_ACTIVATE
        assert probe.call(ChangeState, "controller_node/change_state", request).success
        probe.spin_until(lambda: probe.runs(robot_id), 3, "runs again")


@pytest.mark.integration
def test_wrong_parameters_end_in_one_sentence(system) -> None:
    """Values that make no sense, and files that are not there: exit code 1, one line, no traceback."""
    cases = [("controller_node", {"trigger": "sometimes"}, "trigger"), ("bridge_node", {"viewer": "x"}, "viewer"),
             ("generator_node", {"generator": "/nowhere"}, "/nowhere"),
             ("description_node", {"robot": "noone"}, "noone"),
             ("bridge_node", {"real_time_factor": 0.0}, "real_time_factor"),
             ("bridge_node", {"duration": -5.0}, "duration"), ("bridge_node", {"seed": -1}, "seed"),
             ("bridge_node", {"lockstep": "perhaps"}, "lockstep"),
             ("bridge_node", {"record": "/nowhere/run.npz"}, "record"),
             ("controller_node", {"autostart": 1}, "autostart"),
             ("controller_node", {"control_period": "fast"}, "control_period")]
    for name, parameters, word in cases:
        node = system.start(name, **parameters)
        assert node.wait(20) == 1
        errors = [line for line in node.output.splitlines() if line.startswith("error:")]
        assert len(errors) == 1 and word in errors[0], node.output
        assert "[ERROR]" not in node.output, "said once"
