"""The topics on which a simulated robot shows itself: those of a real robot, and what only a simulation knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState

from hd_msgs.msg import Contacts
from hd_sim_bridge.conversions import clock_message
from hd_sim_bridge.robot_parts import RobotParts
from hd_sim_bridge.sensor_model import Reading
from hd_sim_bridge.transform_topic import TransformTopic

Tap = Callable[[str, str, bytes], object]
"""Gets topic, type and serialized message of everything that is published."""


class TappedPublisher:
    """A publisher whose messages can be recorded; each is serialized once."""

    def __init__(self, node: Node, message_type: type, topic: str, tap: Tap | None) -> None:
        self._publisher = node.create_publisher(message_type, topic, 10)
        self._tap = tap
        self._type_name = f"{message_type.__module__.split('.')[0]}/msg/{message_type.__name__}"

    @property
    def wanted(self) -> bool:
        """True when somebody listens."""
        return self._tap is not None or self._publisher.get_subscription_count() > 0

    def publish(self, message: Any) -> None:
        """Publish, and hand it to the tap."""
        if self._tap is None:
            self._publisher.publish(message)
            return
        data = serialize_message(message)
        self._publisher.publish(data)
        self._tap(self._publisher.topic_name, self._type_name, data)


class StateTopics:
    """Publishes one state at a time; `parts` is the present robot.

    What is not needed to drive it (ground truth, contacts, torques, transforms) costs nothing until somebody listens.
    """

    def __init__(self, node: Node, tap: Tap | None = None) -> None:
        self.parts: RobotParts | None = None
        self._joints = TappedPublisher(node, JointState, "joint_states", tap)
        self._odometry = TappedPublisher(node, Odometry, "odom", tap)
        self._imu = TappedPublisher(node, Imu, "imu", tap)
        self._clock = TappedPublisher(node, Clock, "/clock", tap)
        self._true_joints = TappedPublisher(node, JointState, "ground_truth/joint_states", tap)
        self._true_odometry = TappedPublisher(node, Odometry, "ground_truth/odom", tap)
        self._contacts = TappedPublisher(node, Contacts, "contacts", tap)
        self._torques = TappedPublisher(node, JointState, "joint_torques", tap)
        self._transforms = TransformTopic(node, lambda kind, topic: TappedPublisher(node, kind, topic, tap))

    def show(self, reading: Reading | None, offset_ns: int, now_ns: int) -> None:
        """Publish what the sensors show, the clock first; offset_ns: what is added to the stamps of states."""
        assert self.parts is not None
        self._clock.publish(clock_message(now_ns))
        if reading is not None:
            self._show_reading(reading, offset_ns)
        self._show_details(now_ns)

    def _show_reading(self, reading: Reading, offset_ns: int) -> None:
        """What the sensors show; joint_states, which a controller waits for, come last."""
        assert self.parts is not None
        stamp_ns = offset_ns + reading.state.stamp_ns
        writer = self.parts.sensors
        writer.write(reading.state, stamp_ns, reading.specific_force)
        self._transforms.show(self.parts.frames, reading.state, stamp_ns)
        for arrives, publisher, message in ((reading.odometry, self._odometry, writer.odometry),
                                            (reading.imu, self._imu, writer.imu),
                                            (reading.joints, self._joints, writer.joints)):
            if arrives:
                publisher.publish(message)

    def show_again(self) -> None:
        """Publish the state shown last once more; time does not move."""
        assert self.parts is not None
        self._odometry.publish(self.parts.sensors.odometry)
        self._imu.publish(self.parts.sensors.imu)
        self._joints.publish(self.parts.sensors.joints)

    def _show_details(self, now_ns: int) -> None:
        """Ground truth, contacts and torques at this instant, where somebody listens."""
        parts = self.parts
        assert parts is not None
        simulation = parts.robot.simulation
        if self._true_joints.wanted or self._true_odometry.wanted:
            parts.truth.write(simulation.state(), now_ns, simulation.specific_force)
            self._true_joints.publish(parts.truth.joints)
            self._true_odometry.publish(parts.truth.odometry)
        if self._contacts.wanted:
            self._contacts.publish(parts.details.write_contacts(parts.contacts.of(simulation.data), now_ns))
        if self._torques.wanted:
            self._torques.publish(parts.details.write_torques(parts.robot.efforts, now_ns))
