"""Whole launches: exit codes, reactions to ends of processes, and how processes are brought to an end."""
import os
import re
import signal
import subprocess
import time

import pytest

READY_FOREVER = "import time\\nprint('ready', flush=True)\\ntime.sleep(60)"
POLITE = (
    "import signal, sys, time\\n"
    "signal.signal(signal.SIGINT, lambda *_: (print('safe'), sys.exit(0)))\\n"
    "print('ready', flush=True)\\ntime.sleep(60)"
)
STUBBORN = (
    "import signal, time\\n"
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
    "print('ready', flush=True)\\ntime.sleep(60)"
)


def finish(process: subprocess.Popen, timeout: float = 20.0) -> tuple[int, str]:
    """Wait for the end; return exit code and output."""
    output, _ = process.communicate(timeout=timeout)
    return process.returncode, output


def wait_for(process: subprocess.Popen, text: str, times: int = 1) -> str:
    """Read until a line with `text` came as often as asked; return all that was read."""
    read = ""
    while times:
        line = process.stdout.readline()
        assert line, f"ended before '{text}': {read}"
        read += line
        times -= text in line
    return read


def alive(pid: int) -> bool:
    """Return whether a process with this id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def started_pids(output: str) -> list[int]:
    """Return the process ids that the launch told."""
    return [int(number) for number in re.findall(r"process started with pid \[(\d+)\]", output)]


def test_output_has_the_name_in_front_and_all_ends_give_zero(start):
    code, output = finish(start("return [program('print(1)'), program('import sys; print(2, file=sys.stderr)')]"))
    assert code == 0
    assert "[program-1] 1\n" in output and "[program-2] 2\n" in output
    assert output.count("process has finished cleanly") == 2


def test_a_process_that_fails_gives_one(start):
    code, output = finish(start("return [program('raise SystemExit(3)')]"))
    assert code == 1
    assert "[ERROR] [program-1]: process has died" in output and "exit code 3" in output


def test_a_program_that_is_not_there_gives_one(start):
    code, output = finish(start("return [ExecuteProcess(cmd=['/nowhere/at-all'])]"))
    assert code == 1
    assert "cannot start /nowhere/at-all: No such file or directory" in output


@pytest.mark.parametrize(("ending", "expected"), [("pass", 0), ("raise SystemExit(1)", 1)])
def test_on_exit_shutdown_ends_the_others(start, ending, expected):
    code, output = finish(start(f"return [program('''{POLITE}'''), program('{ending}', on_exit=Shutdown())]"))
    assert code == expected
    assert len(started_pids(output)) == 2
    assert not any(alive(pid) for pid in started_pids(output))


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_ends_everything_within_three_seconds_with_zero(start, whole_group):
    process = start(f"return [program('''{POLITE}'''), program('''{POLITE}''')]")
    begun = wait_for(process, "ready", times=2)
    begin = time.monotonic()
    if whole_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert time.monotonic() - begin < 3.0
    assert code == 0
    assert output.count("] safe") == 2, "each process gets SIGINT exactly once"
    assert "Traceback" not in output
    assert not any(alive(pid) for pid in started_pids(begun + output))


def test_what_ignores_sigint_gets_sigterm_and_then_sigkill(start):
    timeouts = "sigterm_timeout='0.3', sigkill_timeout='0.3'"
    process = start(f"return [program('''{STUBBORN}''', {timeouts})]")
    wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert "sending SIGTERM" in output and "sending SIGKILL" in output
    assert "exit code -9" in output
    assert code == 0


def test_a_second_ctrl_c_hurries(start):
    ignores = READY_FOREVER.replace("import time", "import signal, time\\nsignal.signal(signal.SIGINT, signal.SIG_IGN)")
    process = start(f"return [program('''{ignores}''')]")
    wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    wait_for(process, "user interrupted")
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    finish(process)
    assert time.monotonic() - begin < 3.0


def test_no_orphans_when_the_launcher_is_killed(start):
    process = start(f"return [program('''{READY_FOREVER}''')]")
    (pid,) = started_pids(wait_for(process, "ready"))
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5.0
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_handlers_react_to_starts_and_ends(start):
    code, output = finish(
        start(
            """
            first = program('print(1)')
            second = program('print(2)')
            return [
                RegisterEventHandler(OnProcessStart(target_action=second, on_start=[LogInfo(msg='second began')])),
                RegisterEventHandler(OnProcessExit(target_action=first, on_exit=[second])),
                RegisterEventHandler(OnShutdown(on_shutdown=lambda event, context: LogInfo(msg=event.reason))),
                TimerAction(period=0.1, actions=[first]),
                RegisterEventHandler(OnProcessExit(target_action=second, on_exit=[Shutdown(reason='all done')])),
            ]
            """
        )
    )
    assert code == 0
    assert output.index("] 1") < output.index("] 2") < output.index("all done")
    assert output.index("] 1") < output.index("second began")


def test_scopes_conditions_and_environment(start):
    shows = "import os; print(os.environ.get('COLOUR', 'none'))"
    code, output = finish(
        start(
            f"""
            show = lambda **keywords: program("{shows}", **keywords)
            return [
                DeclareLaunchArgument('loud', default_value='false', choices=['true', 'false']),
                GroupAction([SetEnvironmentVariable('COLOUR', 'red'), show()]),
                show(),
                show(additional_env={{'COLOUR': 'blue'}}, condition=IfCondition(LaunchConfiguration('loud'))),
                show(additional_env={{'COLOUR': 'grey'}}, condition=UnlessCondition(LaunchConfiguration('loud'))),
                OpaqueFunction(function=lambda context: [LogInfo(msg=['loud is ', LaunchConfiguration('loud')])]),
            ]
            """,
            "loud:=true",
        )
    )
    assert code == 0
    assert "[program-1] red" in output and "[program-2] none" in output and "[program-3] blue" in output
    assert "grey" not in output and "loud is true" in output


@pytest.mark.parametrize(
    ("body", "arguments", "sentence"),
    [
        ("return [DeclareLaunchArgument('needed')]", (), "required launch argument 'needed'"),
        ("return [DeclareLaunchArgument('x', choices=['a'])]", ("x:=b",), "'x' is 'b' but must be one of: a"),
        ("return [LogInfo(msg=LaunchConfiguration('gone'))]", (), "launch configuration 'gone' does not exist"),
        ("raise ValueError('broken')", (), "ValueError: broken"),
        ("return []", ("x=1",), "malformed launch argument 'x=1'"),
    ],
)
def test_mistakes_end_with_one_line_and_exit_code_one(start, body, arguments, sentence):
    code, output = finish(start(body, *arguments))
    assert code == 1
    assert sentence in output and "Traceback" not in output


def test_a_failing_description_ends_what_it_started(start):
    code, output = finish(start(f"return [program('''{READY_FOREVER}'''), LogInfo(msg=LaunchConfiguration('gone'))]"))
    assert code == 1
    assert not any(alive(pid) for pid in started_pids(output))


def test_arguments_are_listed(start):
    declared = "DeclareLaunchArgument('robot', default_value='quadruped', description='which one')"
    code, output = finish(start(f"return [GroupAction([{declared}]), DeclareLaunchArgument('b')]", "--show-args"))
    assert code == 0
    assert "    'robot':\n        which one\n        (default: 'quadruped')" in output
    assert output.index("'robot'") < output.index("'b'")
