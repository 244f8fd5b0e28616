"""The benchmark: rows and bars, fair contenders, a robot of twelve limbs, options."""

import json
import os
import signal
import subprocess
import sys
from array import array

import numpy as np
import pytest

from hd_controller import bench
from hd_controller.benchmark import inference
from hd_controller.benchmark.report import Row, as_json, not_measured, table
from hd_controller.benchmark.robot import LIMBS, WIDTH, observation_of, twelve_limb_robot, wide_policy
from hd_controller.benchmark.stopwatch import timed
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shipped_files import generator_folder
from hd_controller.urdf_writer import write_urdf


@pytest.fixture(scope="module")
def policy() -> PolicyBundle:
    """The policy that is measured."""
    generator = GeneratorBundle.load(generator_folder("default"))
    return wide_policy(generate_policy(write_urdf(twelve_limb_robot()), generator))


@pytest.mark.parametrize(("value", "bar", "text", "verdict"), [
    (1.0, {"at_most": 1.1}, "<= 1.1", "met"), (1.2, {"at_most": 1.1}, "<= 1.1", "missed"),
    (30.0, {"at_least": 25.0}, ">= 25", "met"), (24.9, {"at_least": 25.0}, ">= 25", "missed"), (3.0, {}, "", ""),
    (float("nan"), {"at_most": 1.0}, "<= 1", "missed")])
def test_a_row_says_whether_its_bar_is_met(value: float, bar: dict, text: str, verdict: str) -> None:
    row = Row("group", "name", value, "ms", "how", **bar)
    assert (row.bar, row.verdict) == (text, verdict)


def test_the_table_and_json_hold_every_row() -> None:
    rows = [Row("a", "x", 12345.6, "ms", "counted", at_most=2.0),
            not_measured("b", "y", "us", "no torch", at_least=1.0)]
    lines = table(rows).splitlines()
    assert len(lines) == 3 and "12346" in lines[1] and "missed" in lines[1] and "counted" in lines[1]
    assert "not measured" in lines[2] and ">= 1" in lines[2] and "no torch" in lines[2]
    content = json.loads(as_json(rows, {"cores": 2}))
    assert content["machine"] == {"cores": 2}
    assert [row["verdict"] for row in content["rows"]] == ["missed", "not measured"]


def test_the_measured_robot_has_twelve_limbs_and_a_network_of_the_published_width(policy: PolicyBundle) -> None:
    policy.check()
    assert len(policy.morphology.limbs) == LIMBS == 12
    assert policy.layer_sizes == (12 * 17, WIDTH, WIDTH, 24) and WIDTH == 256


def test_contenders_compute_the_same_network(policy: PolicyBundle) -> None:
    observation = observation_of(policy)
    observation[3, 5] = 1e6  # clipping takes part
    ours = policy.policy().act(observation).copy()
    np.testing.assert_allclose(inference.plain_numpy(policy, observation)(), ours, atol=1e-5)
    pytest.importorskip("onnx", reason="needs the package onnx")
    for call in inference.onnx_calls(policy, observation).values():
        np.testing.assert_allclose(np.ravel(call()), ours[policy.morphology.slots], atol=1e-5)


def test_the_torch_contender_computes_the_same_network(policy: PolicyBundle) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    networks = pytest.importorskip("hd_training.bench_networks", reason="needs hd_training")
    observation = observation_of(policy)
    observation[3, 5] = -1e6
    with torch.inference_mode():
        values = networks.TorchPolicy(policy).eval()(torch.from_numpy(observation.reshape(1, -1)).float())
    np.testing.assert_allclose(values.numpy()[0], policy.policy().act(observation), atol=1e-5)


def test_calls_are_timed_in_turn() -> None:
    order: list[str] = []
    times = timed({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 40)
    assert {name: len(values) for name, values in times.items()} == {"a": 40, "b": 40}
    assert "".join(order) == ("a" * 21 + "b" * 21) * 2 and all(value > 0 for value in times["a"])


def test_period_quantiles_count_only_what_came_between_two_timings() -> None:
    pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")
    from hd_controller.benchmark.jitter import period_quantiles
    from hd_controller.conversions import Time, timing_to_message
    from hd_controller.step_timing import StepTiming

    timing = StepTiming(0.02, by_clock=True)
    for began_s in (0.0, 1.0, 1.02):
        timing.step(began_s, began_s, 0.0)
    before = timing_to_message(timing, Time())
    for count in range(1, 101):
        timing.step(1.02 + 0.021 * count, 0.0, 0.0)
    found, steps = period_quantiles(before, timing_to_message(timing, Time()))
    assert steps == 100 and found["max"] == pytest.approx(0.001, rel=0.13), "the gap of a second came before"
    assert isinstance(before.period_error.counts, array)


def test_one_group_from_the_command_line(tmp_path) -> None:
    file = tmp_path / "bench.json"
    command = [sys.executable, "-m", "hd_controller.bench", "--only", "inference", "--rounds", "20", "--json", file]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert result.returncode == 0, result.stderr
    assert "inference: ours / fastest of the others" in result.stdout
    rows = json.loads(file.read_text())["rows"]
    assert {"teacher / ours", "ours"} <= {row["name"] for row in rows}


@pytest.mark.parametrize(("arguments", "word"), [
    (["--only", "colour"], "invalid choice"), (["--rounds", "0"], "--rounds"), (["--seconds", "0"], "--seconds")])
def test_wrong_options_are_refused(arguments: list[str], word: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as refusal:
        bench.main(arguments)
    assert refusal.value.code == 2 and word in capsys.readouterr().err


def test_a_generator_that_is_not_there_ends_in_one_line(capsys: pytest.CaptureFixture) -> None:
    assert bench.main(["--generator", "/no/such/folder"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_help_has_examples(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    assert capsys.readouterr().out.count("ros2 run hd_controller bench") >= 3


def test_a_driver_that_has_ended_leaves_no_participant(policy: PolicyBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its description reaches the controller of the next group, and its threads receive all that is sent."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    from hd_controller.benchmark.processes import own_domain
    from hd_controller.benchmark.robot_driver import RobotDriver
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    threads = []
    for _ in range(2):
        with RobotDriver(policy, own_domain()) as driver:
            driver.drive(100.0, 0.05)
        threads.append(len(os.listdir("/proc/self/task")))
    assert threads[1] == threads[0]


def test_a_measured_program_ends_though_the_shell_has_put_the_benchmark_into_the_background() -> None:
    """Such a shell has SIGINT ignored, and what is started takes that over until it has a handler of its own."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    from hd_controller.benchmark.processes import PROBE, Program, own_domain
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Program(PROBE, [], own_domain()) as program:
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert program.process.returncode in (0, -signal.SIGTERM)
