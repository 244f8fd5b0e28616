"""Arguments of ./hd."""
import main
import pytest
from problem import SetupProblem


def test_sim_becomes_a_launch_command():
    arguments = main.parse(["sim", "--duration", "20", "robot:=hexapod"])
    expected = ["ros2", "launch", "hd_controller", "sim.launch.py", "duration:=20", "robot:=hexapod"]
    assert main.sim_command(arguments) == expected


def test_sim_refuses_what_is_no_assignment():
    with pytest.raises(SetupProblem, match="name:=value"):
        main.sim_command(main.parse(["sim", "hexapod"]))


def test_sim_refuses_what_the_launch_file_does_not_declare():
    with pytest.raises(SetupProblem, match="no argument 'robbot'; it has: robot, generator, teacher, lockstep,"):
        main.sim_command(main.parse(["sim", "robbot:=hexapod"]))


@pytest.mark.parametrize(("assignment", "training"), [("robot:=hexapod", False), ("teacher:=a.pt", True)])
def test_sim_installs_torch_for_a_teacher_alone(monkeypatch, assignment, training):
    asked = []
    monkeypatch.setattr(main.Bootstrap, "execute", lambda self, command, training: asked.append(training) or 0)
    assert main.run(main.parse(["sim", assignment])) == 0
    assert asked == [training]


@pytest.mark.parametrize("command", ["exec", "train", "bench"])
def test_arguments_of_others_are_passed_on_untouched(command):
    arguments = main.parse([command, "python", "--help", "-m", "x"])
    assert arguments.rest == ["python", "--help", "-m", "x"]


def test_test_takes_packages_and_the_slow_tier():
    arguments = main.parse(["test", "--slow", "--packages", "hd_controller", "hd_training"])
    assert arguments.slow and arguments.packages == ["hd_controller", "hd_training"]


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main.parse(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for command in ("sim", "test", "shell", "exec", "train", "bench", "docs", "clean"):
        assert f"\n    {command} " in text
