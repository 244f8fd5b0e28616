"""Stamps: a step runs once, again when its content changes, and again after an interruption."""
import pytest
from steps import Step, StepRunner, digest


def make_step(calls: list[bool], key: str = "a", fails: bool = False) -> Step:
    """Return a step that notes whether it was told of an interruption."""

    def action(interrupted: bool) -> None:
        calls.append(interrupted)
        if fails:
            raise KeyboardInterrupt

    return Step("one", "doing one", key, action)


def test_a_step_runs_once_per_key(tmp_path):
    calls: list[bool] = []
    runner = StepRunner(tmp_path / "stamps")
    assert runner.run(make_step(calls))
    assert not runner.run(make_step(calls))
    assert runner.run(make_step(calls, key="b"))
    assert calls == [False, False]


def test_an_interrupted_step_is_not_done_and_the_next_run_is_told(tmp_path):
    calls: list[bool] = []
    runner = StepRunner(tmp_path)
    runner.run(make_step(calls))
    with pytest.raises(KeyboardInterrupt):
        runner.run(make_step(calls, key="b", fails=True))
    assert not runner.is_done(make_step(calls, key="a"))
    assert not runner.is_done(make_step(calls, key="b"))
    assert StepRunner(tmp_path).run(make_step(calls, key="b"))
    assert calls == [False, False, True]
    assert runner.is_done(make_step(calls, key="b"))


def test_digest_depends_on_texts_files_and_their_borders(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    assert digest(["ab", "c"]) != digest(["a", "bc"])
    before = digest([file])
    file.write_text("y")
    assert digest([file]) != before
    assert digest([tmp_path / "missing"]) == digest([b""])
