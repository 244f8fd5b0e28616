"""Command lines and parameters of nodes."""
from pathlib import Path

import pytest
import yaml
from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    PathJoinSubstitution,
    PythonExpression,
    SubstitutionFailure,
)
from launch_ros.actions import Node, PushROSNamespace
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext


@pytest.fixture
def context(tmp_path, monkeypatch):
    """A context in which a package `demo` with an executable `talker` is installed."""
    executable = tmp_path / "lib" / "demo" / "talker"
    executable.parent.mkdir(parents=True)
    executable.touch(mode=0o755)
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "demo"
    marker.parent.mkdir(parents=True)
    marker.touch()
    (tmp_path / "share" / "demo").mkdir()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    return LaunchContext()


def parameters_of(context: LaunchContext, values: dict) -> dict:
    """Return the parameters as a node would read them."""
    command = Node(package="demo", executable="talker", parameters=[values]).command(context)
    file = Path(command[command.index("--params-file") + 1])
    return yaml.safe_load(file.read_text())["/**"]["ros__parameters"]


def test_command_line_of_a_node(context, tmp_path):
    file = tmp_path / "some.yaml"
    file.touch()
    context.launch_configurations["where"] = "there"
    node = Node(
        package="demo",
        executable="talker",
        name="me",
        namespace="r1",
        parameters=[str(file), ParameterFile(str(file))],
        remappings=[("a", LaunchConfiguration("where"))],
        arguments=["--fast", ["x", LaunchConfiguration("where")]],
    )
    assert node.command(context) == [
        *(str(tmp_path / "lib" / "demo" / "talker"), "--fast", "xthere", "--ros-args"),
        *("-r", "__node:=me", "-r", "__ns:=/r1"),
        *("--params-file", str(file), "--params-file", str(file), "-r", "a:=there"),
    ]


def test_without_ros_arguments_there_is_no_marker(context, tmp_path):
    command = Node(package="demo", executable="talker", namespace="").command(context)
    assert command == [str(tmp_path / "lib" / "demo" / "talker")]


@pytest.mark.parametrize(
    ("pushed", "own", "expected"),
    [("a", "b", "/a/b"), ("a/", "", "/a"), ("a", "/b", "/b"), ("", "b/c", "/b/c")],
)
def test_namespaces_add_up(context, pushed, own, expected):
    PushROSNamespace(pushed).visit(context)
    command = Node(package="demo", executable="talker", namespace=own).command(context)
    assert f"__ns:={expected}" in command


def test_parameter_types_survive(context):
    context.launch_configurations.update(number="20", text="1e3", flag="true", words="[a, b]")
    values = {
        "plain": {"int": 1, "float": 1e-05, "bool": True, "text": "on", "list": [1.0, 2.0]},
        "guessed": LaunchConfiguration("number"),
        "float": ParameterValue(LaunchConfiguration("number"), value_type=float),
        "text": ParameterValue(LaunchConfiguration("text"), value_type=str),
        "flag": ParameterValue(LaunchConfiguration("flag"), value_type=bool),
        "words": ParameterValue(LaunchConfiguration("words"), value_type=list[str]),
    }
    read = parameters_of(context, values)
    assert read == {
        "plain.int": 1, "plain.float": 1e-05, "plain.bool": True, "plain.text": "on", "plain.list": [1.0, 2.0],
        "guessed": 20, "float": 20.0, "text": "1e3", "flag": True, "words": ["a", "b"],
    }  # fmt: skip
    assert isinstance(read["float"], float) and isinstance(read["guessed"], int)


@pytest.mark.parametrize(("value_type", "expected"), [(bool, "of type bool"), (int, "of type int"),
                                                      (float, "a number"), (list[str], "a list of str")])
def test_a_value_of_another_type_is_refused_with_the_name_of_its_parameter(context, value_type, expected):
    context.launch_configurations["flag"] = "perhaps"
    with pytest.raises(ValueError, match=f"^parameter 'speed': value 'perhaps' must be {expected}"):
        parameters_of(context, {"speed": ParameterValue(LaunchConfiguration("flag"), value_type=value_type)})


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"package": "gone", "executable": "x"}, "package 'gone' not found"),
        ({"package": "demo", "executable": "gone"}, "no executable 'gone'"),
        ({"package": "demo", "executable": "talker", "parameters": ["/gone.yaml"]}, "'/gone.yaml' does not exist"),
    ],
)
def test_what_is_missing_is_named(context, keywords, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        Node(**keywords).command(context)


def test_substitutions(context, tmp_path):
    context.launch_configurations["a"] = "2"
    join = PathJoinSubstitution([FindPackageShare("demo"), "x", ["y", LaunchConfiguration("a")]])
    assert join.perform(context) == str(tmp_path / "share" / "demo" / "x" / "y2")
    assert PythonExpression([LaunchConfiguration("a"), " * 21"]).perform(context) == "42"
    assert LaunchConfiguration("gone", default="d").perform(context) == "d"
    assert EnvironmentVariable("GONE_AND_AWAY", default_value="d").perform(context) == "d"
    with pytest.raises(SubstitutionFailure, match="GONE_AND_AWAY"):
        EnvironmentVariable("GONE_AND_AWAY").perform(context)
