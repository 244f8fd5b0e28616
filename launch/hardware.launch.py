"""Policy generation and control for a real robot; the robot's own drivers publish its state and take the commands.

Usage:
    ros2 launch hd_controller hardware.launch.py robot:=/path/to/robot.urdf joint_commands:=/drives/command
    ros2 launch hd_controller hardware.launch.py    # another node publishes robot_description
    ros2 launch hd_controller hardware.launch.py command_type:=float64_array joint_order:=hip,knee,ankle \
        command_controller:=forward_effort_controller joint_commands:=/forward_effort_controller/commands \
        base_state:=imu imu:=/imu_sensor_broadcaster/imu joint_mapping:=/etc/robot/joints.yaml dry_run:=true
    ros2 launch hd_controller hardware.launch.py params_file:=/etc/robot/first_trials.yaml    # effort_scale and others

The controller starts in standby: call the service `controller_node/enable` when the robot may move. docs/hardware.md
explains the steps.
"""
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from hd_controller.launch_arguments import check_parameter_file, full_names, refuse_unknown_arguments
from launch import LaunchContext, LaunchDescription

SHARE = FindPackageShare("hd_controller")
PARAMETER_FILE = PathJoinSubstitution([SHARE, "launch", "hardware.yaml"])
NODES = ("controller_node", "generator_node", "description_node")
TOPICS = {
    "robot_description": "description of the robot (URDF)",
    "joint_states": "joint positions and velocities, from the drivers",
    "odom": "pose and twist of the torso, from the state estimator",
    "imu": "orientation and angular velocity, used where odom is absent",
    "joint_commands": "joint efforts, to the drivers",
    "e_stop": "emergency stop",
}


def declared_arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments of this launch file."""
    topics = [
        DeclareLaunchArgument(name, default_value=name, description=f"topic: {text}") for name, text in TOPICS.items()
    ]
    return [
        DeclareLaunchArgument(
            "robot",
            default_value="",
            description="name of a shipped robot, or path of a URDF or MJCF file; empty: another node publishes it",
        ),
        DeclareLaunchArgument(
            "generator",
            default_value=PathJoinSubstitution([SHARE, "generators", "default"]),
            description="folder of the generator bundle",
        ),
        DeclareLaunchArgument("namespace", default_value="", description="namespace of all nodes and topics"),
        DeclareLaunchArgument(
            "command_type",
            default_value="hd",
            choices=["hd", "joint_state", "float64_array"],
            description="message on joint_commands: hd_msgs/JointCommand, sensor_msgs/JointState with efforts, or "
            "std_msgs/Float64MultiArray as forward_command_controller takes it",
        ),
        DeclareLaunchArgument(
            "joint_order",
            default_value="",
            description="joints of a float64_array command in the order of the command controller, with commas",
        ),
        DeclareLaunchArgument(
            "command_controller",
            default_value="",
            description="node name of the forward_command_controller, which is asked for its joints; empty: not asked",
        ),
        DeclareLaunchArgument(
            "joint_mapping",
            default_value="",
            description="YAML file with the hardware's joint names, directions and zeros; empty: as the description",
        ),
        DeclareLaunchArgument(
            "dry_run",
            default_value="false",
            choices=["true", "false"],
            description="compute and publish everything except commands",
        ),
        DeclareLaunchArgument(
            "base_state",
            default_value="odom",
            choices=["odom", "imu"],
            description="odom: pose and twist of the torso; imu: height and velocity are estimated from IMU and joints",
        ),
        DeclareLaunchArgument(
            "allow_out_of_distribution",
            default_value="false",
            choices=["true", "false"],
            description="activate the policy of a robot outside the trained range too",
        ),
        DeclareLaunchArgument(
            "autostart",
            default_value="true",
            choices=["true", "false"],
            description="configure and activate the controller; it stays in standby until it is enabled",
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=PARAMETER_FILE,
            description="parameters that come on top of hardware.yaml's; not those that are arguments here",
        ),
        *topics,
    ]


def node(executable: str, parameters: dict[str, ParameterValue], **keywords) -> Node:
    """Return a node with what all of them have in common."""
    return Node(
        package="hd_controller",
        executable=executable,
        name=executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=[PARAMETER_FILE, LaunchConfiguration("params_file"), parameters],
        remappings=[(name, LaunchConfiguration(name)) for name in TOPICS],
        output="screen",
        emulate_tty=True,
        **keywords,
    )


def argument(name: str, value_type: type) -> ParameterValue:
    """Return the launch argument as a node's parameter of the given type."""
    return ParameterValue(LaunchConfiguration(name), value_type=value_type)


def refuse_what_would_be_passed_over(context: LaunchContext) -> None:
    """Raise HdError, before anything starts, for an argument or a parameter file that is not what it seems."""
    names = [declared.name for declared in declared_arguments()]
    refuse_unknown_arguments("hardware.launch.py", names)
    above, own = context.launch_configurations.get("ros_namespace", ""), context.launch_configurations["namespace"]
    check_parameter_file(context.launch_configurations["params_file"], full_names(NODES, above, own), names)


def generate_launch_description() -> LaunchDescription:
    """Return the nodes: generator, controller, and the description where a robot is given."""
    has_robot = IfCondition(PythonExpression(["len('''", LaunchConfiguration("robot"), "''') > 0"]))
    controller = {
        "command_type": argument("command_type", str),
        "joint_order": argument("joint_order", str),
        "command_controller": argument("command_controller", str),
        "joint_mapping": argument("joint_mapping", str),
        "dry_run": argument("dry_run", bool),
        "base_state": argument("base_state", str),
        "autostart": argument("autostart", bool),
        "allow_out_of_distribution": argument("allow_out_of_distribution", bool),
    }
    return LaunchDescription(
        [
            *declared_arguments(),
            OpaqueFunction(function=refuse_what_would_be_passed_over),
            node("controller_node", controller),
            node("generator_node", {"generator": argument("generator", str)}),
            node("description_node", {"robot": argument("robot", str)}, condition=has_robot),
        ]
    )
