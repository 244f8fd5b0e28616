"""Starts, watches and stops the processes of a system: the part of ROS 2's `launch` that this project uses.

Same names and same documented behaviour as https://docs.ros.org `launch`; made for machines whose ROS 2 comes from
PyPI, where the real package is not available. It must never be installed beside the real one.
"""
from launch.action import Action
from launch.condition import Condition
from launch.event import Event
from launch.event_handler import EventHandler
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.launch_description_source import LaunchDescriptionSource
from launch.launch_service import LaunchService
from launch.substitution import Substitution

__all__ = [
    "Action",
    "Condition",
    "Event",
    "EventHandler",
    "LaunchContext",
    "LaunchDescription",
    "LaunchDescriptionEntity",
    "LaunchDescriptionSource",
    "LaunchService",
    "Substitution",
]
