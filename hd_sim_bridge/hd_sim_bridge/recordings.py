"""What is kept of a run: its topics, its steps, its film, as far as they are wanted."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node

from hd_sim_bridge.bridge_parameters import BridgeSettings
from hd_sim_bridge.recording import Recording
from hd_sim_bridge.simulated_robot import SimulatedRobot
from hd_sim_bridge.state_topics import Tap
from hd_sim_bridge.topic_recorder import TopicRecorder
from hd_sim_bridge.video import Video


class Recordings:
    """`record` is one file with all topics (.mcap) or with steps (.npz); `video` a film (.mp4 or .webp)."""

    def __init__(self, node: Node, settings: BridgeSettings, now_ns: Callable[[], int]) -> None:
        """Raises HdError for files that cannot be written."""
        log = node.get_logger().error
        of_topics = settings.record.endswith(".mcap")
        self._steps = Recording("" if of_topics else settings.record, log)
        self._topics = TopicRecorder(node, settings.record, now_ns) if of_topics else None
        self._video = Video(settings.video, settings.lockstep, log) if settings.video else None

    @property
    def tap(self) -> Tap | None:
        """Where all that the bridge publishes goes, too."""
        return None if self._topics is None else self._topics.tap

    def look(self) -> None:
        """Called regularly: record topics that have come up."""
        if self._topics is not None:
            self._topics.look()

    def begin(self, robot: SimulatedRobot) -> None:
        """Another robot from now on."""
        self._steps.begin(robot.morphology.robot_id, len(robot.morphology.joint_names))
        if self._video is not None:
            self._video.begin(robot.simulation.model)

    def add(self, now_ns: int, robot: SimulatedRobot) -> None:
        """The robot has made a step."""
        self._steps.add(now_ns, robot.simulation.data.qpos, robot.efforts)
        if self._video is not None:
            self._video.add(now_ns, robot.simulation.data.qpos)

    def close(self) -> None:
        """Complete all files; raises HdError when the disk refuses."""
        if self._topics is not None:
            self._topics.close()
        if self._video is not None:
            self._video.close()
        self._steps.save()
