"""Episodes through the controller's chain: the plain loop is the reference, guards act and are named."""

import numpy as np
import pytest

from hd_controller.controller import ControllerSettings
from hd_controller.description_source import description_text
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.guard_settings import profile_settings
from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shipped_files import generator_folder
from hd_sim_bridge.closed_loop import run_closed_loop
from hd_sim_bridge.compare_guards import main, single_guards
from hd_sim_bridge.guarded_episode import PerfectSensors, run_episode

STEPS = 60


@pytest.fixture(scope="module")
def bundle() -> PolicyBundle:
    """The shipped policy of the tripod."""
    return generate_policy(description_text("tripod")[0], GeneratorBundle.load(generator_folder("default")))


def test_the_benchmark_profile_is_the_plain_closed_loop(bundle: PolicyBundle) -> None:
    """Same states, same efforts: the distance is bit by bit that of policy and simulation alone."""
    episode = run_episode(bundle, ControllerSettings(), PerfectSensors(), 3, STEPS)
    assert episode.total_return == run_closed_loop(bundle, STEPS, 3).distance_m / CONTROL_PERIOD_S
    assert episode.steps == STEPS and episode.ended_by == ""


def test_a_guard_that_ends_run_is_named_and_the_robot_is_left_to_damping(bundle: PolicyBundle) -> None:
    settings = ControllerSettings(guards=profile_settings("benchmark", max_tilt=1e-3))
    episode = run_episode(bundle, settings, PerfectSensors(), 3, STEPS)
    assert episode.ended_by == "tilt"
    plain = run_episode(bundle, ControllerSettings(), PerfectSensors(), 3, STEPS)
    assert abs(episode.total_return) < abs(plain.total_return)


def test_every_guard_of_the_hardware_profile_has_its_column() -> None:
    names = [setting.name.split()[0] for setting in single_guards()]
    assert names[0] == "benchmark" and {"max_tilt", "position_guard", "effort_rate_limit", "start_ramp"} <= set(names)


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tripod", "--episodes", "2", "--steps", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| robot | benchmark | hardware |") and lines[2].startswith("| tripod |")
    mean = float(lines[-1].split("|")[2])
    assert np.isfinite(mean) and f" {mean:.0f} ±" in lines[2]
    assert main(["nobody"]) == 1 and "nobody" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--episodes", "0"])
    with pytest.raises(HdError):
        profile_settings("none")
