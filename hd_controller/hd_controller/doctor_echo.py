"""Second process of the doctor's round trip: sends joint states back until it is ended."""

import sys

import rclpy
from sensor_msgs.msg import JointState


def main(prefix: str) -> None:
    """Subscribe to PREFIX/out, publish to PREFIX/back."""
    rclpy.init()
    node = rclpy.create_node("doctor_echo")
    publisher = node.create_publisher(JointState, f"{prefix}/back", 1)
    node.create_subscription(JointState, f"{prefix}/out", publisher.publish, 1)
    rclpy.spin(node)


if __name__ == "__main__":
    main(sys.argv[1])
