"""Arguments and parameter files that ROS would pass over are refused, with what was meant."""

from pathlib import Path

import pytest

from hd_controller.errors import HdError
from hd_controller.launch_arguments import check_parameter_file, full_names, refuse_unknown_arguments

DECLARED = ["robot", "joint_mapping", "dry_run", "params_file"]
COMMAND = ["/opt/ros/bin/ros2", "launch", "hd_controller", "hardware.launch.py"]


@pytest.mark.parametrize(("given", "words"), [
    ("joint_maping:=x", "no argument 'joint_maping'; is 'joint_mapping' meant?"),
    ("dryrun:=true", "no argument 'dryrun'; is 'dry_run' meant?"),
    ("effort_scale:=0.3", "no argument 'effort_scale'; --show-args lists them, .* params_file:=FILE")])
def test_an_argument_that_is_not_declared_is_refused(given: str, words: str) -> None:
    with pytest.raises(HdError, match=words):
        refuse_unknown_arguments("hardware.launch.py", DECLARED, [*COMMAND, "robot:=quadruped", given])


@pytest.mark.parametrize("command", [
    [*COMMAND, "robot:=a:=b", "sigterm_timeout:=9"], [*COMMAND, "--noninteractive", "launch-prefix:=gdb", "__x:=1"],
    ["ros2", "launch", "my_robot", "bringup.launch.py", "rviz:=true"], ["pytest", "hardware.yaml", "rviz:=true"], []])
def test_what_is_launchs_own_or_for_another_launch_file_is_left_alone(command: list[str]) -> None:
    """A launch file of the user's that includes ours has arguments of its own."""
    refuse_unknown_arguments("hardware.launch.py", DECLARED, command)


def test_a_path_names_the_launch_file_too() -> None:
    with pytest.raises(HdError, match="'odd'"):
        refuse_unknown_arguments("hardware.launch.py", DECLARED, ["ros2", "launch", "/a/hardware.launch.py", "odd:=1"])


def parameter_file(tmp_path: Path, *heads: str, values: str = "{effort_scale: 0.3}") -> str:
    """Path of a file with one block below so many names."""
    lines = [f"{'  ' * depth}{head}:" for depth, head in enumerate([*heads, "ros__parameters"])]
    (tmp_path / "p.yaml").write_text("\n".join(lines) + f" {values}\n")
    return str(tmp_path / "p.yaml")


@pytest.mark.parametrize(("heads", "namespace"), [
    (["/**/controller_node"], ""), (["/**/controller_node"], "a/b"), (["/**"], "a"), (["controller_node"], ""),
    (["/controller_node"], ""), (["a", "controller_node"], "a"), (["/a/controller_node"], "/a"),
    (["/*/controller_node"], "a"), (["/a/*"], "a"), (["/**/generator_node"], "")])
def test_a_file_for_one_of_the_nodes_is_taken(heads: list[str], namespace: str, tmp_path: Path) -> None:
    nodes = full_names(["controller_node", "generator_node"], namespace)
    check_parameter_file(parameter_file(tmp_path, *heads), nodes, DECLARED)


@pytest.mark.parametrize(("heads", "namespace"), [
    (["controller_node"], "a"), (["/**/controler_node"], ""), (["/*/controller_node"], ""), ([], ""),
    (["/b/controller_node"], "a")])
def test_a_file_for_none_of_the_nodes_is_refused(heads: list[str], namespace: str, tmp_path: Path) -> None:
    with pytest.raises(HdError, match=r"no parameters for .*controller_node; expected lines such as '/\*\*/contr"):
        check_parameter_file(parameter_file(tmp_path, *heads), full_names(["controller_node"], namespace), DECLARED)


def test_a_file_that_sets_an_argument_is_refused(tmp_path: Path) -> None:
    """Under a full name it would win over `dry_run:=true`, and else lose to an argument's default."""
    path = parameter_file(tmp_path, "controller_node", values="{dry_run: false, effort_scale: 0.3}")
    with pytest.raises(HdError, match=r"sets 'dry_run', which is an argument of the launch file.*dry_run:=VALUE"):
        check_parameter_file(path, ["/controller_node"], DECLARED)
    check_parameter_file(parameter_file(tmp_path, "/**/driver", values="{dry_run: 1}\n/**: {ros__parameters: {a: 1}}"),
                         ["/controller_node"], DECLARED)


@pytest.mark.parametrize(("content", "words"), [
    (None, "cannot be read: No such file"), (b"a: [b", "is no YAML file"), (b"\xff\xfe\x00", "is no YAML file"),
    (b"", "has no parameters"), (b"effort_scale: 0.3", "has no parameters"), (b"- 1", "has no parameters")])
def test_a_file_that_is_none_is_one_sentence(content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "p.yaml").write_bytes(content)
    with pytest.raises(HdError, match=words) as refusal:
        check_parameter_file(str(tmp_path / "p.yaml"), ["/controller_node"], DECLARED)
    assert "\n" not in str(refusal.value) and "p.yaml" in str(refusal.value)


def test_namespaces_are_joined_as_ros_joins_them() -> None:
    assert full_names(["n"]) == ["/n"] and full_names(["n"], "", "") == ["/n"]
    assert full_names(["n"], "/a", "b/c") == ["/a/b/c/n"] and full_names(["n"], "a", "/b/") == ["/b/n"]
