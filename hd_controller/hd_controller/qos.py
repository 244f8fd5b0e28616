"""Quality of service of the project's topics, in one place."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy


def latched() -> QoSProfile:
    """Reliable, transient local, depth 1: robot_description, policy, status."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def volatile(reliable: bool) -> QoSProfile:
    """Volatile: a reliable one hears reliable publishers without loss, a best effort one hears all the others too."""
    reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=10, reliability=reliability)


def states(reliable: bool) -> QoSProfile:
    """Robot states: reliable with a simulator, sensor data (best effort) with hardware."""
    reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=10, reliability=reliability)


def commands() -> QoSProfile:
    """Joint commands: reliable, only the newest counts."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
