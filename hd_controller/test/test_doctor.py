"""The doctor: what it calls right, what missing, and its exit code."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bodies import random_body

from hd_controller import doctor, doctor_computer, doctor_middleware, doctor_policy, real_time
from hd_controller.doctor_computer import computer
from hd_controller.doctor_findings import MISSING, OK, WARNING
from hd_controller.doctor_software import software
from hd_controller.policy_source import policy_of
from hd_controller.urdf_writer import write_urdf

QUICK = ["--no-ros", "--json", "--seconds", "0.3"]


def report(arguments: list[str], capsys: pytest.CaptureFixture) -> tuple[int, dict]:
    """Exit code and JSON of a run."""
    code = doctor.main(arguments)
    return code, json.loads(capsys.readouterr().out)


def texts(found: dict, level: str) -> str:
    """All lines of a level."""
    return "\n".join(finding["text"] for finding in found["findings"] if finding["level"] == level)


def test_a_good_computer_has_nothing_missing(capsys: pytest.CaptureFixture):
    code, found = report(QUICK, capsys)
    assert code == 0, texts(found, MISSING)
    assert found["counts"][MISSING] == 0 and sum(found["counts"].values()) == len(found["findings"])
    for words in ("numpy ", "MuJoCo 3.", "generator ", "robot 'quadruped'", "cores for this account"):
        assert words in texts(found, OK), words
    assert "control steps at 50 Hz" in texts(found, OK) + texts(found, WARNING)


def test_text_lists_the_same_with_advice(capsys: pytest.CaptureFixture):
    assert doctor.main(["--no-ros", "--seconds", "0.1", "--robot", "/nowhere.urdf"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  MISSING robot '/nowhere.urdf' is neither") for line in lines)
    assert lines[-1].endswith(", 1 missing") and any(line.strip().startswith("-> ") for line in lines)


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--generator", "/nowhere"], "generator '/nowhere' is neither"),
    (["--robot", "/nowhere.npz"], "/nowhere.npz cannot be read"),
])
def test_what_is_absent_is_missing(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture):
    code, found = report([*QUICK, *arguments], capsys)
    assert code == 1 and texts(found, MISSING).count(sentence) == 1


@pytest.mark.parametrize("domain", ["many", "500", "-3", " "])
def test_a_domain_that_the_middleware_does_not_have_is_missing(
        domain: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """At 500 the middleware would end the process, and the doctor with it."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    code, found = report([argument for argument in QUICK if argument != "--no-ros"], capsys)
    assert code == 1 and texts(found, MISSING) == f"ROS_DOMAIN_ID is '{domain}'"


def test_a_damaged_policy_file_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture):
    policy_of("tripod").save(tmp_path / "p.npz")
    assert report([*QUICK, "--robot", str(tmp_path / "p.npz")], capsys)[0] == 0
    content = bytearray((tmp_path / "p.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "p.npz").write_bytes(content)
    code, found = report([*QUICK, "--robot", str(tmp_path / "p.npz")], capsys)
    assert code == 1 and "p.npz" in texts(found, MISSING)


def test_a_robot_out_of_range_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "odd.urdf").write_text(write_urdf(random_body(3)))
    code, found = report([*QUICK, "--robot", str(tmp_path / "odd.urdf")], capsys)
    assert code == 0 and "outside the trained range: " in texts(found, WARNING)


def test_a_library_that_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "yourdfpy", None)
    missing = [finding for finding in software(with_ros=False) if finding.level == MISSING]
    assert len(missing) == 1 and missing[0].text.startswith("yourdfpy cannot be imported")
    assert "pip install" in missing[0].advice


def test_a_forbidden_priority_is_a_warning_with_advice():
    before = resource.getrlimit(resource.RLIMIT_RTPRIO)
    line = next(finding for finding in computer() if "priority" in finding.text)
    assert line.level in (OK, WARNING) and (line.level == OK or "rtprio 80" in line.advice)
    assert resource.getrlimit(resource.RLIMIT_RTPRIO) == before


@pytest.mark.parametrize(("limit", "capable", "level"), [
    (resource.RLIM_INFINITY, False, OK), (8 << 20, True, OK), (8 << 20, False, WARNING), (1 << 34, False, WARNING)])
def test_memory_may_be_locked_where_the_controller_may_lock_it(
        limit: int, capable: bool, level: str, monkeypatch: pytest.MonkeyPatch):
    """No finite limit is enough, and root is not where it lacks the capability."""
    monkeypatch.setattr(real_time.resource, "getrlimit", lambda _kind: (limit, limit))
    monkeypatch.setattr(real_time, "_has_capability", lambda _number: capable)
    line = next(finding for finding in computer() if finding.text.startswith("memory may"))
    assert line.level == level and (level == OK or "memlock unlimited" in line.advice)
    assert line.text == ("memory may be locked" if level == OK else
                         f"memory may not be locked (limit memlock is {limit // 1024} kB)")
    if level != OK:
        assert "(limit memlock is " in real_time.lock_memory().sentence


def test_a_child_that_does_not_want_to_end_is_killed(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    monkeypatch.setattr(doctor_middleware, "END_S", 0.3)
    deaf = ("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
            "time.sleep(600)")
    child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    with child.stdout, pytest.raises(RuntimeError, match="amid"), doctor_middleware._ending(child):
        assert child.stdout.readline() == b"deaf\n"
        raise RuntimeError("amid")
    assert child.returncode == -signal.SIGKILL


ECHO = "import os; from hd_controller.doctor_echo import main; main('/hd_doctor_test', {}, {})"


def test_the_echo_ends_by_itself_after_a_time():
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    command = [sys.executable, "-c", ECHO.format("os.getppid()", 3)]
    done = subprocess.run(command, env=_environment(), timeout=60, check=False)
    assert done.returncode in (0, 1), "1 where it hung in the middleware"


def test_the_echo_ends_when_the_doctor_has():
    """The doctor in between starts it as its child, and is killed."""
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    between = ("import os, subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', sys.argv[1] % "
               "os.getpid()], stdout=subprocess.DEVNULL); print(child.pid, flush=True); time.sleep(600)")
    doctor_process = subprocess.Popen([sys.executable, "-c", between, ECHO.format("%d", 100)], env=_environment(),
                                      stdout=subprocess.PIPE)
    with doctor_process.stdout:
        echo = Path("/proc", doctor_process.stdout.readline().decode().strip())
    end = time.monotonic() + 60
    while b"librmw" not in (echo / "maps").read_bytes() and time.monotonic() < end:  # it has come as far as ROS
        time.sleep(0.05)
    doctor_process.kill()
    doctor_process.wait()
    while _runs(echo) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _runs(echo)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def _runs(process: Path) -> bool:
    """Whether the process is there and not just waiting to be asked for its exit code."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_whether_cores_may_be_kept_awake_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path):
    (tmp_path / "there").touch()
    for name, words in (("there", "cores may be kept awake"), ("missing", "cores may not be kept awake")):
        monkeypatch.setattr(doctor_computer, "CPU_DMA_LATENCY", tmp_path / name)
        assert any(finding.level == OK and finding.text.startswith(words) for finding in computer())


def test_a_slow_step_is_seen(monkeypatch: pytest.MonkeyPatch):
    bundle = policy_of("tripod")
    monkeypatch.setattr(doctor_policy, "_measured", lambda *_: ([0.0] * 10, [0.5 * bundle.control_period_s] * 10))
    assert [finding.level for finding in doctor_policy.rate(bundle, 1.0)] == [WARNING]
    monkeypatch.setattr(doctor_policy, "_measured", lambda *_: ([0.0] * 10, [2 * bundle.control_period_s] * 10))
    assert [finding.level for finding in doctor_policy.rate(bundle, 1.0)] == [MISSING]


def test_a_check_that_breaks_is_a_finding():
    def broken() -> list:
        raise RuntimeError("out of order")

    findings = doctor.attempt("software", broken)
    assert [finding.level for finding in findings] == [MISSING] and "out of order" in findings[0].text


@pytest.mark.parametrize("arguments", [["--seconds", "0"], ["--listen", "nan"], ["--unknown"]])
def test_a_wrong_command_line_is_code_2(arguments: list[str]):
    with pytest.raises(SystemExit) as end:
        doctor.main(arguments)
    assert end.value.code == 2
