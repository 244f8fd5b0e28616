"""Several simulated robots on one machine, each in a namespace of its own, with a clock of its own.

With a teacher, each robot runs twice: in robot_N on its generated policy, in robot_N_teacher on the teacher.

Usage:
    ros2 launch hd_controller several.launch.py
    ros2 launch hd_controller several.launch.py robots:=quadruped,hexapod duration:=20
    ros2 launch hd_controller several.launch.py robots:=quadruped teacher:=FILE duration:=20 lockstep:=true
    ros2 launch hd_controller several.launch.py viewer:=web
    ros2 launch hd_controller several.launch.py --show-args
"""
from collections.abc import Callable

from launch.actions import DeclareLaunchArgument, OpaqueFunction, RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from hd_controller.launch_arguments import refuse_unknown_arguments
from launch import LaunchContext, LaunchDescription

SHARE = FindPackageShare("hd_controller")
PARAMETER_FILE = PathJoinSubstitution([SHARE, "launch", "sim.yaml"])
# Absolute names, made relative, so that each robot has its own clock and transforms.
REMAPPINGS = [("/clock", "clock"), ("/tf", "tf"), ("/tf_static", "tf_static")]


def declared_arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments of this launch file."""
    return [
        DeclareLaunchArgument(
            "robots",
            default_value="quadruped,hexapod,tripod,centipede",
            description="names of shipped robots or paths of files, with commas between",
        ),
        DeclareLaunchArgument(
            "generator",
            default_value=PathJoinSubstitution([SHARE, "generators", "default"]),
            description="folder of the generator bundle",
        ),
        DeclareLaunchArgument(
            "teacher",
            default_value="",
            description="checkpoint, archive or folder of experts that runs each robot beside its generated policy",
        ),
        DeclareLaunchArgument(
            "lockstep", default_value="false", choices=["true", "false"], description="wait for each command"
        ),
        DeclareLaunchArgument(
            "duration", default_value="0", description="simulated seconds until each robot's end; 0: until stopped"
        ),
        DeclareLaunchArgument("seed", default_value="0", description="seed of the small noise in the first poses"),
        DeclareLaunchArgument(
            "real_time_factor", default_value="1", description="simulated seconds per second; not used in lockstep"
        ),
        DeclareLaunchArgument(
            "allow_out_of_distribution",
            default_value="false",
            choices=["true", "false"],
            description="run the policies of robots outside the trained range too",
        ),
        DeclareLaunchArgument(
            "viewer", default_value="none", choices=["none", "web"], description="web: one page for all in the browser"
        ),
        DeclareLaunchArgument("web_port", default_value="8080", description="port of the page of viewer:=web"),
        DeclareLaunchArgument(
            "web_host",
            default_value="127.0.0.1",
            description="address that the page listens at; one that others reach asks for a token",
        ),
        DeclareLaunchArgument(
            "params_file", default_value=PARAMETER_FILE, description="parameters that come on top of sim.yaml's"
        ),
    ]


def node(namespace: str, package: str, executable: str, parameters: dict[str, object], name: str = "") -> Node:
    """Return a node of one robot with what all of them have in common."""
    return Node(
        package=package,
        executable=executable,
        name=name or executable,
        namespace=namespace,
        parameters=[PARAMETER_FILE, LaunchConfiguration("params_file"), parameters],
        remappings=REMAPPINGS,
        output="screen",
        emulate_tty=True,
    )


def argument(name: str, value_type: type) -> ParameterValue:
    """Return the launch argument as a node's parameter of the given type."""
    return ParameterValue(LaunchConfiguration(name), value_type=value_type)


def robot_nodes(namespace: str, robot: str, *, taught: bool) -> list[Node]:
    """Return the nodes of one robot, the simulation first."""
    simulation = {"lockstep": argument("lockstep", bool), "duration": argument("duration", float),
                  "seed": argument("seed", int), "real_time_factor": argument("real_time_factor", float)}
    controller = {"lockstep": argument("lockstep", bool),
                  "allow_out_of_distribution": argument("allow_out_of_distribution", bool)}
    nodes = [node(namespace, "hd_sim_bridge", "bridge_node", simulation)]
    if taught:
        controller["teacher"] = argument("teacher", str)
        nodes.append(node(namespace, "hd_training", "teacher_node", controller, name="controller_node"))
    else:
        nodes.append(node(namespace, "hd_controller", "controller_node", controller))
        nodes.append(node(namespace, "hd_controller", "generator_node", {"generator": argument("generator", str)}))
    return [*nodes, node(namespace, "hd_controller", "description_node", {"robot": robot})]


def ending(bridges: list[Node], page: Node | None) -> Callable[..., list[Shutdown] | None]:
    """Return what answers the end of a process: all end when the last bridge has, or at once when another node has.

    The page may end: the simulations go on.
    """
    left = list(bridges)

    def answer(event: object, context: LaunchContext) -> list[Shutdown] | None:
        if event.action is page:
            return None
        if event.action in left:
            left.remove(event.action)
            return None if left else [Shutdown(reason="all simulations ended")]
        return [Shutdown(reason=f"{event.process_name} ended")]

    return answer


def systems(context: LaunchContext) -> list[Node | RegisterEventHandler]:
    """Return the nodes of all robots, and what ends them together; raises HdError for an argument there is not."""
    refuse_unknown_arguments("several.launch.py", [declared.name for declared in declared_arguments()])
    robots = [name.strip() for name in LaunchConfiguration("robots").perform(context).split(",") if name.strip()]
    with_teacher = bool(LaunchConfiguration("teacher").perform(context))
    nodes: list[list[Node]] = []
    for number, robot in enumerate(robots, 1):
        nodes.append(robot_nodes(f"robot_{number}", robot, taught=False))
        if with_teacher:
            nodes.append(robot_nodes(f"robot_{number}_teacher", robot, taught=True))
    page = None
    if LaunchConfiguration("viewer").perform(context) == "web":
        where = {"port": argument("web_port", int), "host": argument("web_host", str)}
        page = node("", "hd_sim_bridge", "web_viewer_node", where)
    handler = RegisterEventHandler(OnProcessExit(on_exit=ending([of_one[0] for of_one in nodes], page)))
    return [handler, *(one for of_one in nodes for one in of_one), *([page] if page is not None else [])]


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the nodes of all robots."""
    return LaunchDescription([*declared_arguments(), OpaqueFunction(function=systems)])
