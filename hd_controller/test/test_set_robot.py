"""`set_robot` on its own: what it is told wrongly; tests/test has it beside running nodes."""


import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from hd_controller import set_robot

pytestmark = pytest.mark.usefixtures("handlers")


@pytest.mark.parametrize("timeout", ["nan", "inf", "0", "-1"])
def test_a_time_that_never_ends_is_a_wrong_command_line(timeout: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        set_robot.main(["quadruped", "--timeout", timeout])
    assert ended.value.code == 2 and f"--timeout is {timeout}" in capsys.readouterr().err


@pytest.mark.parametrize(("node", "words"), [
    ("two words", "'two words' is no name of a node"), ("nobody", "no node nobody answers")])
def test_a_node_that_cannot_be_asked_is_one_sentence(node: str, words: str, capsys: pytest.CaptureFixture) -> None:
    assert set_robot.main(["quadruped", "--timeout", "0.2", "--node", node]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and words in lines[0]
