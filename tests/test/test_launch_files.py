"""Launch files: only documented API of launch and launch_ros, declared arguments, parameters that the nodes have."""
import ast
from pathlib import Path

import pytest
import yaml

LAUNCH = Path(__file__).resolve().parents[2] / "launch"
LAUNCH_FILES = sorted(LAUNCH.glob("*.launch.py"))
# Documented names of the real packages (docs.ros.org, Jazzy and Kilted) that our launch files may use.
DOCUMENTED = {
    "launch": {"LaunchDescription", "LaunchContext"},
    "launch.actions": {
        "DeclareLaunchArgument", "EmitEvent", "ExecuteProcess", "GroupAction", "IncludeLaunchDescription", "LogInfo",
        "OpaqueFunction", "RegisterEventHandler", "SetEnvironmentVariable", "SetLaunchConfiguration", "Shutdown",
        "TimerAction",
    },
    "launch.conditions": {"IfCondition", "UnlessCondition"},
    "launch.event_handlers": {"OnProcessExit", "OnProcessStart", "OnShutdown"},
    "launch.events": {"Shutdown"},
    "launch.launch_description_sources": {"PythonLaunchDescriptionSource"},
    "launch.substitutions": {
        "EnvironmentVariable", "FindExecutable", "LaunchConfiguration", "PathJoinSubstitution", "PythonExpression",
        "TextSubstitution", "ThisLaunchFileDir",
    },
    "launch_ros.actions": {"Node", "PushROSNamespace"},
    "launch_ros.parameter_descriptions": {"ParameterFile", "ParameterValue"},
    "launch_ros.substitutions": {"FindPackagePrefix", "FindPackageShare"},
}  # fmt: skip
KEYWORDS = {
    "DeclareLaunchArgument": {"default_value", "description", "choices", "condition"},
    "Node": {
        "package", "executable", "name", "namespace", "parameters", "remappings", "ros_arguments", "arguments",
        "output", "emulate_tty", "on_exit", "condition", "additional_env", "sigterm_timeout", "sigkill_timeout",
    },
    "ParameterValue": {"value_type"},
    "Shutdown": {"reason", "condition"},
}  # fmt: skip
SIM_ARGUMENTS = {"robot", "generator", "teacher", "lockstep", "duration", "namespace", "viewer", "web_port", "seed",
                 "web_host", "real_time_factor", "allow_out_of_distribution", "record", "video", "params_file", "rviz"}
SEVERAL_ARGUMENTS = {"robots", "generator", "teacher", "lockstep", "duration", "seed", "real_time_factor",
                     "allow_out_of_distribution", "params_file", "viewer", "web_host", "web_port"}
HARDWARE_ARGUMENTS = {"robot", "generator", "namespace", "command_type", "joint_states", "imu", "odom", "e_stop",
                      "allow_out_of_distribution", "joint_order", "joint_mapping", "command_controller", "dry_run",
                      "params_file"}


def test_there_are_launch_files_and_the_folder_is_no_package():
    assert [path.name for path in LAUNCH_FILES] == ["hardware.launch.py", "several.launch.py", "sim.launch.py"]
    assert not (LAUNCH / "__init__.py").exists()


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_only_documented_names_are_imported(path):
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            assert all(not name.name.startswith("launch") for name in statement.names), "import names from modules"
        if isinstance(statement, ast.ImportFrom) and statement.module.startswith("launch"):
            assert {name.name for name in statement.names} <= DOCUMENTED[statement.module]


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_only_documented_keywords_are_used(path):
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
            assert {word.arg for word in call.keywords if word.arg} <= KEYWORDS[call.func.id]


def described(name: str) -> dict[str, str]:
    """Return the declared arguments of a launch file, read by whichever launch is installed, with descriptions."""
    sources = pytest.importorskip("launch.launch_description_sources", reason="no launch installed")
    from launch import LaunchContext

    source = sources.PythonLaunchDescriptionSource(str(LAUNCH / name))
    declared = source.get_launch_description(LaunchContext()).get_launch_arguments()
    return {argument.name: argument.description for argument in declared}


@pytest.mark.parametrize(
    ("name", "expected"), [("sim.launch.py", SIM_ARGUMENTS), ("several.launch.py", SEVERAL_ARGUMENTS),
                           ("hardware.launch.py", HARDWARE_ARGUMENTS)]
)
def test_arguments_are_declared_and_described(name, expected):
    arguments = described(name)
    assert expected <= set(arguments)
    assert all(len(text) > 5 and "no description" not in text for text in arguments.values())


def test_what_hd_sim_takes_is_what_the_launch_file_declares(monkeypatch):
    monkeypatch.syspath_prepend(str(LAUNCH.parent / "bootstrap"))
    from main import declared_arguments

    assert sorted(declared_arguments(LAUNCH / "sim.launch.py")) == sorted(described("sim.launch.py"))


@pytest.mark.parametrize("name", ["sim", "hardware"])
def test_every_parameter_in_the_files_is_one_that_the_controller_declares(name):
    parameters = pytest.importorskip("hd_controller.controller_parameters", reason="no rclpy installed").PARAMETERS
    content = yaml.safe_load((LAUNCH / f"{name}.yaml").read_text())
    assert list(content) == ["/**/controller_node"]
    for parameter, value in content["/**/controller_node"]["ros__parameters"].items():
        if parameter != "use_sim_time":
            assert isinstance(value, type(parameters[parameter][0])), parameter
