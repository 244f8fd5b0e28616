"""`ros2 launch` on our launch files: the simulation ends by itself with a summary, and Ctrl-C ends everything."""
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hd_system_tests.domains import own_domain

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("ros2") is None, reason="needs the ros2 command (./hd test, or a sourced ROS 2)"),
]
TEACHER = Path(__file__).resolve().parents[2] / "hd_training" / "teachers" / "laptop_303_robots.pt"
START_DEADLINE_S = 30.0
TEACHER_DEADLINE_S = 120.0  # torch alone takes many seconds to import where cores are shared
SEVERAL_DEADLINE_S = 120.0
END_DEADLINE_S = 3.0


class Launch:
    """One `ros2 launch hd_controller FILE`, read line by line."""

    def __init__(self, domain: int, file: str, *arguments: str) -> None:
        """Start it in a session and a ROS domain of its own."""
        self.domain = domain
        self.process = subprocess.Popen(
            ["ros2", "launch", *([file] if "/" in file else ["hd_controller", file]), *arguments],
            env={**os.environ, "ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def wait_for(self, pattern: str) -> None:
        """Read until a line matches; fails when the launch ends or the deadline passes before."""
        end = time.monotonic() + START_DEADLINE_S
        for line in self.process.stdout:
            self.output += line
            if re.search(pattern, line):
                return
            assert time.monotonic() < end, f"no line with '{pattern}' in time: {self.output}"
        raise AssertionError(f"ended before a line with '{pattern}': {self.output}")

    def finish(self, deadline_s: float = START_DEADLINE_S) -> int:
        """Read the rest; return the exit code."""
        self.output += self.process.communicate(timeout=deadline_s)[0]
        return self.process.returncode

    def interrupt(self) -> tuple[int, float]:
        """Press Ctrl-C; return the exit code and the seconds that the end took."""
        begin = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.finish()
        return code, time.monotonic() - begin

    def pids(self) -> list[int]:
        """Process ids of the nodes."""
        return [int(number) for number in re.findall(r"process started with pid \[(\d+)\]", self.output)]


@pytest.fixture
def launch():
    """A function that starts a launch; what is left of it is killed at the end."""
    started: list[Launch] = []
    with own_domain() as domain:

        def begin(file: str, *arguments: str) -> Launch:
            started.append(Launch(domain, file, *arguments))
            return started[-1]

        yield begin
        for running in started:
            if running.process.poll() is None:
                running.process.kill()
            running.process.stdout.close()


def is_alive(pid: int) -> bool:
    """Return whether a process with this id runs."""
    return os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize("namespace", ["", "robot_1"])
def test_a_simulation_with_a_duration_ends_with_a_summary(launch, robots, namespace):
    running = launch(
        "sim.launch.py",
        f"robot:={next(robots.folder.glob('*.urdf'))}",
        f"generator:={robots.generator}",
        f"namespace:={namespace}",
        "duration:=2",
        "lockstep:=true",
    )
    assert running.finish() == 0, running.output
    assert re.search(r"simulated time: +2\.00 s", running.output)
    assert re.search(r"steps: +100\b", running.output)
    assert "Traceback" not in running.output
    assert not any(is_alive(pid) for pid in running.pids())


def test_a_teacher_takes_the_place_of_generator_and_controller(launch):
    """A demo robot that the shipped teacher was trained with, under the controller's name."""
    pytest.importorskip("torch", reason="needs torch")
    running = launch("sim.launch.py", f"teacher:={TEACHER}", "robot:=tripod", "duration:=2", "lockstep:=true")
    assert running.finish(TEACHER_DEADLINE_S) == 0, running.output
    assert re.search(r"steps: +100\b", running.output)
    assert "[controller_node]: policy of robot 'tripod'" in running.output
    assert re.search(r"controller_node.*\d+ steps took .* ms", running.output)
    assert "teacher_node-" in running.output and "generator_node-" not in running.output
    assert "controller_node-" not in running.output and "Traceback" not in running.output


def test_several_robots_run_beside_each_other_until_the_last_one_ends(launch, robots):
    """Each in its own namespace with its own clock, in lockstep, so with its own number of steps."""
    files = [robots.file(name) for name in sorted(robots.texts)[:2]]
    running = launch("several.launch.py", f"robots:={files[0]}, {files[1]}", f"generator:={robots.generator}",
                     "duration:=2", "lockstep:=true")
    assert running.finish(SEVERAL_DEADLINE_S) == 0, running.output
    assert len(re.findall(r"steps: +100\b", running.output)) == 2
    assert {name for name in re.findall(r"robot: +(\w+)", running.output)} == {file.stem for file in files}
    assert "[robot_1.controller_node]" in running.output and "[robot_2.controller_node]" in running.output
    assert "Traceback" not in running.output
    assert not any(is_alive(pid) for pid in running.pids())


def test_a_teacher_runs_beside_the_policy(launch):
    """The same robot twice, in two namespaces; both controllers say what their steps took."""
    pytest.importorskip("torch", reason="needs torch")
    running = launch("several.launch.py", "robots:=tripod", f"teacher:={TEACHER}", "duration:=2", "lockstep:=true")
    assert running.finish(TEACHER_DEADLINE_S) == 0, running.output
    assert len(re.findall(r"robot: +tripod", running.output)) == 2
    for name in ("robot_1", "robot_1_teacher"):
        assert re.search(rf"\[{name}.controller_node\]: \d+ steps took", running.output), running.output
    assert "Traceback" not in running.output


def test_several_robots_end_together_where_one_of_them_cannot_run(launch, robots):
    running = launch("several.launch.py", "robots:=tripod,unicorn")
    running.finish(SEVERAL_DEADLINE_S)
    assert "unicorn" in running.output and "Traceback" not in running.output
    assert not any(is_alive(pid) for pid in running.pids())


def test_ctrl_c_ends_a_running_simulation(launch, robots):
    running = launch(
        "sim.launch.py", f"robot:={next(robots.folder.glob('*.urdf'))}", f"generator:={robots.generator}"
    )
    running.wait_for(r"controller_node.*run:")
    code, seconds = running.interrupt()
    assert code == 0, running.output
    assert seconds < END_DEADLINE_S
    assert "Traceback" not in running.output
    assert not any(is_alive(pid) for pid in running.pids())


def test_a_robot_that_is_not_there_ends_the_launch_with_its_name(launch, robots):
    running = launch("sim.launch.py", "robot:=/no/such/robot.urdf", f"generator:={robots.generator}")
    running.finish()
    assert "/no/such/robot.urdf" in running.output
    assert not any(is_alive(pid) for pid in running.pids())


def test_hardware_launch_stays_in_standby_without_a_robot(launch, robots):
    running = launch("hardware.launch.py", f"generator:={robots.generator}", "command_type:=float64_array",
                     "joint_order:=hip,knee", "dry_run:=true")
    running.wait_for(r"controller_node.*standby")
    running.wait_for(r"generator_node.*ready")
    code, seconds = running.interrupt()
    assert code == 0, running.output
    assert seconds < END_DEADLINE_S
    assert "Traceback" not in running.output and "description_node" not in running.output


FIRST_TRIALS = "/**/controller_node: {ros__parameters: {effort_scale: 0.3, max_tilt: 1.0, rearm_on_swap: auto}}"


def parameter_values(domain: int, node: str, names: list[str]) -> list[object]:
    """What a running node says."""
    from rcl_interfaces.srv import GetParameters
    from rclpy.parameter import parameter_value_to_python

    from hd_system_tests.probe import Probe

    with Probe(domain, streams=False) as probe:
        client = probe.node.create_client(GetParameters, f"{node}/get_parameters")
        probe.spin_until(client.service_is_ready, START_DEADLINE_S, "the node answers")
        answer = client.call_async(GetParameters.Request(names=names))
        probe.spin_until(answer.done, START_DEADLINE_S, "the answer")
        return [parameter_value_to_python(value) for value in answer.result().values]


def test_a_parameter_file_wins_over_the_shipped_one(launch, robots, tmp_path):
    """What it does not say stays as shipped."""
    (tmp_path / "first_trials.yaml").write_text(FIRST_TRIALS)
    running = launch("hardware.launch.py", f"generator:={robots.generator}", "namespace:=robot_1",
                     f"params_file:={tmp_path / 'first_trials.yaml'}", "dry_run:=true")
    running.wait_for(r"controller_node.*standby")
    names = ["effort_scale", "max_tilt", "rearm_on_swap", "guard_profile", "trigger", "dry_run"]
    values = parameter_values(running.domain, "/robot_1/controller_node", names)
    assert values == [0.3, 1.0, "auto", "hardware", "steady_clock", True]
    assert running.interrupt()[0] == 0, running.output


@pytest.mark.parametrize(("file", "arguments", "sentence"), [
    ("hardware.launch.py", ["joint_maping:=x"], "has no argument 'joint_maping'; is 'joint_mapping' meant?"),
    ("hardware.launch.py", ["effort_scale:=0.3"], "has no argument 'effort_scale'; --show-args lists them"),
    ("hardware.launch.py", ["params_file:=/nowhere.yaml"], "params_file '/nowhere.yaml' cannot be read"),
    ("sim.launch.py", ["robot_name:=hexapod"], "has no argument 'robot_name'; is 'robot' meant?"),
    ("several.launch.py", ["robot:=hexapod"], "has no argument 'robot'; is 'robots' meant?"),
])
def test_what_would_be_passed_over_is_refused_before_anything_starts(launch, file, arguments, sentence):
    running = launch(file, *arguments)
    assert running.finish() == 1
    assert sentence in running.output and not running.pids() and "Traceback" not in running.output


def test_a_launch_file_that_includes_ours_has_arguments_of_its_own(launch, robots, tmp_path):
    (tmp_path / "bringup.launch.py").write_text("""
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
from launch import LaunchDescription


def generate_launch_description():
    file = PathJoinSubstitution([FindPackageShare("hd_controller"), "launch", "hardware.launch.py"])
    return LaunchDescription([DeclareLaunchArgument("rviz"), IncludeLaunchDescription(
        PythonLaunchDescriptionSource(file), launch_arguments={"dry_run": "true"}.items())])
""")
    running = launch(str(tmp_path / "bringup.launch.py"), "rviz:=true", f"generator:={robots.generator}")
    running.wait_for(r"controller_node.*standby")
    assert running.interrupt()[0] == 0, running.output


def test_the_operators_page_is_printed_and_the_simulation_goes_on_without_it(launch, robots):
    pytest.importorskip("viser", reason="needs viser")
    running = launch("sim.launch.py", f"robot:={next(robots.folder.glob('*.urdf'))}", f"generator:={robots.generator}",
                     "viewer:=web", "web_port:=18480", "duration:=8")
    running.wait_for(r"web_viewer_node.*operator's page: http://127\.0\.0\.1:18\d+/")
    page = re.search(r"\[web_viewer_node-\d+\]: process started with pid \[(\d+)\]", running.output)
    os.kill(int(page[1]), signal.SIGKILL)
    running.wait_for(r"web_viewer_node.*process has died")
    running.wait_for(r"bridge_node.*simulated time: +8\.00 s")
    running.finish()
    assert "Traceback" not in running.output
    assert not any(is_alive(pid) for pid in running.pids())
