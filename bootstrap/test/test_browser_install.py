"""Where the browser for the tests comes from."""
import os

import browser_install
import pytest
from layout import Layout


@pytest.fixture
def tried(monkeypatch) -> list[str]:
    """Programs that were run to get a browser; none of them brings one."""
    programs: list[str] = []

    def run(command, environment, log) -> bool:
        programs.append(command[0] if command[0] == "apt-get" else command[2])
        return False

    monkeypatch.setattr(browser_install, "_runs", run)
    return programs


def test_a_browser_on_the_path_is_enough(tmp_path, monkeypatch, tried):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser_install.install_browser(Layout(tmp_path), {})
    assert tried == []


@pytest.mark.parametrize(("user", "expected"), [(0, ["playwright", "apt-get"]), (1000, ["playwright"])])
def test_where_none_can_be_had_one_sentence_says_so(tmp_path, monkeypatch, capsys, tried, user, expected):
    program = tmp_path / "apt-get"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert not browser_install.install_browser(Layout(tmp_path), {})
    assert tried == expected
    assert "no browser could be installed" in capsys.readouterr().err + capsys.readouterr().out


def test_output_goes_to_the_log_and_a_missing_program_is_no_crash(tmp_path):
    log = tmp_path / "log"
    assert browser_install._runs(["sh", "-c", "echo hello"], dict(os.environ), log)
    assert not browser_install._runs(["sh", "-c", "exit 3"], dict(os.environ), log)
    assert not browser_install._runs(["/no/such/program"], dict(os.environ), log)
    assert "hello" in log.read_text()
