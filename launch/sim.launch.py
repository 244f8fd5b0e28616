"""A simulated robot that runs on the policy generated from its description.

Usage:
    ros2 launch hd_controller sim.launch.py
    ros2 launch hd_controller sim.launch.py robot:=hexapod duration:=20 lockstep:=true
    ros2 launch hd_controller sim.launch.py teacher:=hd_training/teachers/laptop_303_robots.pt
    ros2 launch hd_controller sim.launch.py viewer:=web
    ros2 launch hd_controller sim.launch.py --show-args
"""
import shutil

from launch.actions import DeclareLaunchArgument, ExecuteProcess, LogInfo, OpaqueFunction, Shutdown
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from hd_controller.launch_arguments import refuse_unknown_arguments
from launch import LaunchContext, LaunchDescription

SHARE = FindPackageShare("hd_controller")
PARAMETER_FILE = PathJoinSubstitution([SHARE, "launch", "sim.yaml"])
# Absolute names, made relative: with a namespace, each robot has its own clock and transforms.
REMAPPINGS = [("/clock", "clock"), ("/tf", "tf"), ("/tf_static", "tf_static")]
HAS_TEACHER = PythonExpression(['len(r"', LaunchConfiguration("teacher"), '") > 0'])


def declared_arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments of this launch file."""
    return [
        DeclareLaunchArgument(
            "robot", default_value="quadruped", description="name of a shipped robot, or path of a URDF or MJCF file"
        ),
        DeclareLaunchArgument(
            "generator",
            default_value=PathJoinSubstitution([SHARE, "generators", "default"]),
            description="folder of the generator bundle",
        ),
        DeclareLaunchArgument(
            "teacher",
            default_value="",
            description="checkpoint, archive or folder of experts that acts in place of generator and controller",
        ),
        DeclareLaunchArgument(
            "lockstep",
            default_value="false",
            choices=["true", "false"],
            description="let the simulation wait for each command: deterministic, as fast as the machine allows",
        ),
        DeclareLaunchArgument(
            "duration", default_value="0", description="simulated seconds until the end; 0: until stopped"
        ),
        DeclareLaunchArgument("namespace", default_value="", description="namespace of all nodes and topics"),
        DeclareLaunchArgument(
            "viewer",
            default_value="none",
            choices=["none", "native", "web"],
            description="web: a page to watch and steer in the browser; native: MuJoCo's window",
        ),
        DeclareLaunchArgument("web_port", default_value="8080", description="port of the page of viewer:=web"),
        DeclareLaunchArgument(
            "web_host",
            default_value="127.0.0.1",
            description="address that the page listens at; one that others reach asks for a token",
        ),
        DeclareLaunchArgument(
            "allow_out_of_distribution",
            default_value="false",
            choices=["true", "false"],
            description="run the policy of a robot outside the trained range too",
        ),
        DeclareLaunchArgument(
            "rviz",
            default_value="false",
            choices=["true", "false"],
            description="start RViz, where it is installed, with the robot, its transforms and odometry",
        ),
        DeclareLaunchArgument("seed", default_value="0", description="seed of the small noise in the first pose"),
        DeclareLaunchArgument(
            "real_time_factor", default_value="1", description="simulated seconds per second; not used in lockstep"
        ),
        DeclareLaunchArgument(
            "record", default_value="", description="file: .mcap for all topics, .npz for states and efforts"
        ),
        DeclareLaunchArgument(
            "video", default_value="", description="file (.mp4, .webp) for a film, rendered off-screen"
        ),
        DeclareLaunchArgument(
            "params_file", default_value=PARAMETER_FILE, description="parameters that come on top of sim.yaml's"
        ),
    ]


def node(
    package: str, executable: str, parameters: dict[str, ParameterValue], *, name: str = "", **options: object
) -> Node:
    """Return a node with what all of them have in common; when one ends, the simulation ends as a whole."""
    options.setdefault("on_exit", Shutdown(reason=f"{executable} ended"))
    return Node(
        package=package,
        executable=executable,
        name=name or executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=[PARAMETER_FILE, LaunchConfiguration("params_file"), parameters],
        remappings=REMAPPINGS,
        output="screen",
        emulate_tty=True,
        **options,
    )


def page() -> Node:
    """Return the operator's page; the simulation goes on without it."""
    wanted = IfCondition(PythonExpression(["'", LaunchConfiguration("viewer"), "' == 'web'"]))
    parameters = {"port": argument("web_port", int), "host": argument("web_host", str)}
    return node("hd_sim_bridge", "web_viewer_node", parameters, condition=wanted, on_exit=None)


def rviz(context: LaunchContext) -> list[ExecuteProcess | LogInfo]:
    """Return RViz in the robot's namespace where it is asked for and installed, or the sentence that it is not.

    The simulation goes on without it, and when its window is closed.
    """
    if LaunchConfiguration("rviz").perform(context) != "true":
        return []
    if shutil.which("rviz2") is None:
        return [LogInfo(msg="no RViz: rviz2 is not installed, or its ROS 2 is not sourced; install ros-jazzy-rviz2 (or "
                            "that of your distribution). ROS 2 from PyPI has none. The simulation goes on without it.")]
    namespace = LaunchConfiguration("namespace").perform(context).strip("/")
    renamed = [part for old, new in REMAPPINGS for part in ("-r", f"{old}:={new}")]
    command = ["rviz2", "-d", PathJoinSubstitution([SHARE, "launch", "sim.rviz"]), "--ros-args", "-r",
               f"__ns:=/{namespace}", *renamed, "-p", "use_sim_time:=true"]
    return [ExecuteProcess(cmd=command, output="screen")]


def argument(name: str, value_type: type) -> ParameterValue:
    """Return the launch argument as a node's parameter of the given type."""
    return ParameterValue(LaunchConfiguration(name), value_type=value_type)


def refuse_what_would_be_passed_over(_context: LaunchContext) -> None:
    """Raise HdError, before anything starts, for an argument that is not declared."""
    refuse_unknown_arguments("sim.launch.py", [declared.name for declared in declared_arguments()])


def generate_launch_description() -> LaunchDescription:
    """Return the nodes: description, generator and controller (or a teacher), the simulation in the robot's place.

    The teacher's node takes the controller's name, so that its parameters, services and topics are found there.
    """
    simulation = {
        "lockstep": argument("lockstep", bool),
        "duration": argument("duration", float),
        "viewer": argument("viewer", str),
        "seed": argument("seed", int),
        "real_time_factor": argument("real_time_factor", float),
        "record": argument("record", str),
        "video": argument("video", str),
    }
    controller = {
        "lockstep": argument("lockstep", bool),
        "allow_out_of_distribution": argument("allow_out_of_distribution", bool),
    }
    return LaunchDescription(
        [
            *declared_arguments(),
            OpaqueFunction(function=refuse_what_would_be_passed_over),
            node("hd_sim_bridge", "bridge_node", simulation),
            node("hd_controller", "controller_node", controller, condition=UnlessCondition(HAS_TEACHER)),
            node("hd_controller", "generator_node", {"generator": argument("generator", str)},
                 condition=UnlessCondition(HAS_TEACHER)),
            node("hd_training", "teacher_node", {**controller, "teacher": argument("teacher", str)},
                 name="controller_node", condition=IfCondition(HAS_TEACHER)),
            node("hd_controller", "description_node", {"robot": argument("robot", str)}),
            page(),
            OpaqueFunction(function=rviz),
        ]
    )
