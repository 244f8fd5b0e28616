"""Second process of the doctor's round trip: sends joint states back until it is ended, or the doctor has."""

import faulthandler
import os
import sys
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState

from hd_controller.signals import StopRequest

LIFETIME_S = 240.0
"""Longer than the slowest round trips that the doctor waits for."""
LOOK_S = 0.1


def main(prefix: str, doctor: int, lifetime_s: float = LIFETIME_S) -> None:
    """Subscribe to PREFIX/out, publish to PREFIX/back; `doctor` is the id of the process that started this one."""
    faulthandler.dump_traceback_later(lifetime_s, exit=True)  # whatever the middleware waits for by then
    end_s = time.monotonic() + lifetime_s
    request = StopRequest().install()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("doctor_echo")
    publisher = node.create_publisher(JointState, f"{prefix}/back", 1)
    node.create_subscription(JointState, f"{prefix}/out", publisher.publish, 1)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not request.requested and os.getppid() == doctor and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=LOOK_S)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
