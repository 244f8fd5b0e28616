"""`ros2 run hd_controller set_robot FILE`: swaps the robot of a running system."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import rclpy
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.exceptions import InvalidServiceNameException
from rclpy.signals import SignalHandlerOptions

from hd_controller.node_manual import parse_beside_ros
from hd_controller.signals import StopRequest

REFUSED = 1
NOT_REACHED = 1
EXAMPLES = """examples:
  set_robot centipede                                  a shipped robot
  set_robot my_robot.urdf --node /left/description_node    a file, for the robot in namespace left

exit code: 0 accepted, 1 refused or no answer (one sentence says why), 2 wrong command line"""
ASK_AGAIN_S = 2.5
LONGEST_S = 3600.0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="set_robot", description="Give a running description_node another robot.",
                                     epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("robot", help="name of a shipped robot, or path of a URDF or MJCF file")
    parser.add_argument("--node", default="description_node",
                        help="name of the node, with its namespace if it has one (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds to wait for the node (%(default)s)")
    options = parse_beside_ros(parser, arguments)
    if not 0 < options.timeout <= LONGEST_S:
        parser.error(f"--timeout is {options.timeout:g}; expected more than 0 and at most {LONGEST_S:g} seconds")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Set the parameter and print the outcome; 0 accepted, 1 refused or no answer."""
    command_line = sys.argv if arguments is None else ["set_robot", *arguments]
    options = parse(command_line[1:])
    robot = str(Path(options.robot).resolve()) if Path(options.robot).is_file() else options.robot
    stop = StopRequest().install()
    rclpy.init(args=command_line, signal_handler_options=SignalHandlerOptions.NO)
    try:
        return _set(options.node, robot, options.timeout, stop)
    finally:
        rclpy.try_shutdown()


def _set(node_name: str, robot: str, timeout_s: float, stop: StopRequest) -> int:
    """Call the parameter service of the node."""
    node = rclpy.create_node("set_robot", start_parameter_services=False)
    try:
        client = node.create_client(SetParameters, f"{node_name}/set_parameters")
    except InvalidServiceNameException:
        print(f"'{node_name}' is no name of a node; give --node such as /left/description_node", file=sys.stderr)
        return NOT_REACHED
    waited_s = 0.0
    while not client.wait_for_service(timeout_sec=0.1):
        waited_s += 0.1
        if waited_s >= timeout_s or stop.requested:
            print(f"no node {client.srv_name.rsplit('/', 1)[0]} answers; is the system running, and in this "
                  "ROS_DOMAIN_ID and namespace? (--node)", file=sys.stderr)
            return NOT_REACHED
    value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=robot)
    request = SetParameters.Request(parameters=[Parameter(name="robot", value=value)])
    for _ in range(max(1, round(timeout_s / ASK_AGAIN_S))):  # an answer can be lost while both sides still meet
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=ASK_AGAIN_S)
        if future.done() or stop.requested:
            break
    if not future.done() or future.result() is None:
        print(f"{node_name} did not answer within {timeout_s:g} s", file=sys.stderr)
        return NOT_REACHED
    result = future.result().results[0]
    if not result.successful:
        print(f"refused: {result.reason}", file=sys.stderr)
        return REFUSED
    print(f"robot set to {robot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
