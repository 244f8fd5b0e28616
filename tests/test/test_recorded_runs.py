"""Recordings and films of runs over topics, read back by readers that share no code with what wrote them."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def no_opengl(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment whose EGL has no driver."""
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", os.devnull)


def _opengl() -> str:
    """The kind of off-screen OpenGL that works here, or an empty text."""
    for kind in ("egl", "osmesa"):
        probe = subprocess.run([sys.executable, "-c", "import mujoco; mujoco.GLContext(8, 8).free()"], check=False,
                               env={**os.environ, "MUJOCO_GL": kind}, capture_output=True, timeout=60)
        if probe.returncode == 0:
            return kind
    return ""


def _stamp_ns(message) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.mark.integration
@pytest.mark.parametrize("lockstep", [True, False])
def test_mcap_holds_all_topics_and_reads_back(system, robots, tmp_path, lockstep: bool) -> None:
    """Every state and every answer in lockstep; descriptions, policy, status and diagnostics of the other nodes."""
    reader = pytest.importorskip("mcap_ros2.reader", reason="needs mcap-ros2-support")
    record = tmp_path / "run.mcap"
    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node", lockstep=lockstep, duration=30.0 if lockstep else 3.0, record=record)
    system.start("description_node", robot=robots.file("hexapod"))
    assert bridge.wait(60) == 0, bridge.output
    assert bridge.output.count("simulated time:") == 1, "the run ends where it ends, and says so once"
    found: dict[str, list] = {}
    times = []
    for message in reader.read_ros2_messages(str(record)):
        found.setdefault(message.channel.topic, []).append(message.ros_msg)
        times.append(message.log_time_ns)
    assert times == sorted(times) and times[-1] >= 3 * 10**9
    assert set(found) >= {"/clock", "/joint_states", "/odom", "/imu", "/joint_commands", "/robot_description",
                          "/policy", "/status", "/diagnostics", "/contacts", "/joint_torques", "/ground_truth/odom",
                          "/ground_truth/joint_states", "/rosout"}
    assert found["/robot_description"][0].data == robots.texts["hexapod"]
    assert found["/policy"][0].robot_id == robots.bodies["hexapod"].robot_id
    assert {status.mode for status in found["/status"]} >= {"run"}
    shown = {_stamp_ns(state): list(state.position) for state in found["/joint_states"]}
    assert np.array_equal(np.diff(list(shown)), np.full(len(shown) - 1, 20_000_000))
    assert any(any(contact.force.z > 1.0 for contact in message.contacts) for message in found["/contacts"])
    if lockstep:
        assert {_stamp_ns(command) for command in found["/joint_commands"]} >= set(list(shown)[:-2]), "all but the last"
        truth = {_stamp_ns(state): list(state.position) for state in found["/ground_truth/joint_states"]}
        assert truth == shown


@pytest.mark.integration
def test_video_is_a_film_of_the_run(system, robots, tmp_path) -> None:
    """25 pictures for each simulated second that change, decoded by ffmpeg; made without a display."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg")
    if not _opengl():
        pytest.skip("no off-screen OpenGL (libegl1 or libosmesa6) on this machine")
    video = tmp_path / "run.mp4"
    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node", lockstep=True, duration=2.0, video=video)
    system.start("description_node", robot=robots.file("quad"))
    assert bridge.wait(90) == 0, bridge.output
    frames = ffmpeg.read_frames(str(video))
    width, height = next(frames)["size"]
    pictures = [np.frombuffer(frame, np.uint8).reshape(height, width, 3).astype(float) for frame in frames]
    assert 49 <= len(pictures) <= 53
    assert pictures[0].std() > 10.0, "a picture of something"
    assert np.abs(pictures[-1] - pictures[0]).mean() > 1.0, "it moves"
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["run.mp4"]


@pytest.mark.integration
def test_without_opengl_there_is_a_sentence_and_the_simulation_goes_on(no_opengl, system, robots, tmp_path) -> None:
    """EGL without any driver."""
    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node", lockstep=True, duration=2.0, video=tmp_path / "run.mp4")
    system.start("description_node", robot=robots.file("quad"))
    assert bridge.wait(60) == 0, bridge.output
    lines = [line for line in bridge.output.splitlines() if "no video" in line]
    assert len(lines) == 1 and "OpenGL" in lines[0] and "goes on" in lines[0]
    assert "summary" in bridge.output and not list(tmp_path.glob("*.mp4"))


@pytest.mark.integration
@pytest.mark.parametrize("parameter", ["record", "video"])
def test_no_space_for_the_recording_is_a_sentence_and_the_simulation_goes_on(
        system, robots, tmp_path, parameter: str) -> None:
    """The system's own limit on the size of a process's files stands for the disk."""
    if parameter == "video" and not _opengl():
        pytest.skip("no off-screen OpenGL (libegl1 or libosmesa6) on this machine")
    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({"record": 400_000, "video": 5000}[parameter], limits[1]))
    try:
        file = tmp_path / {"record": "run.mcap", "video": "run.mp4"}[parameter]
        bridge = system.start("bridge_node", lockstep=True, duration=10.0, **{parameter: file})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    system.start("description_node", robot=robots.file("hexapod"))
    assert bridge.wait(90) == 0, bridge.output
    lines = [line for line in bridge.output.splitlines() if "File too large" in line]
    assert lines and all(file.name in line for line in lines), bridge.output
    assert "simulated time:       10.00 s" in bridge.output and "steps:                500" in bridge.output
    assert "Traceback" not in bridge.output and not list(tmp_path.glob(".*part*"))


@pytest.mark.integration
@pytest.mark.parametrize(("parameter", "path", "word"), [
    ("record", "missing/run.mcap", "No such file"), ("video", "missing/run.mp4", "cannot be written"),
    ("video", "run.avi", "ends in .mp4")])
def test_paths_that_cannot_be_written_are_refused_at_the_start(system, tmp_path, parameter, path, word) -> None:
    bridge = system.start("bridge_node", **{parameter: tmp_path / path})
    assert bridge.wait(20) == 1
    assert word in bridge.output and parameter in bridge.output and len(bridge.output.splitlines()) == 1
