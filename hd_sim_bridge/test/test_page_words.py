"""What the page says, and that nothing in it is markup of somebody else's; histories and uploads."""

import json
from types import SimpleNamespace

import pytest

from hd_controller.controller_modes import ControllerModes
from hd_controller.coverage import coverage_report
from hd_controller.errors import HdError
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.histogram import UPPER_BOUNDS_S, DurationHistogram
from hd_controller.shipped_files import generator_folder, robot_file
from hd_controller.urdf_reader import read_urdf
from hd_sim_bridge.web_viewer.histories import History, Increments
from hd_sim_bridge.web_viewer.html_blocks import answer_block, list_block, status_block, words_block
from hd_sim_bridge.web_viewer.uploads import UploadFolder, check_size
from hd_sim_bridge.web_viewer.words import (
    BAD,
    GOOD,
    WAITING,
    Words,
    coverage_words,
    diagnostics_words,
    heard_words,
    robot_words,
    status_words,
)


def status(**fields) -> SimpleNamespace:
    """A controller's report, running unless said otherwise."""
    return SimpleNamespace(**{
        "lifecycle_state": "active", "mode": "run", "robot_name": "quadruped", "robot_id": "id",
        "in_distribution": True, "e_stop_latched": False, "policy_refused": False, "message": "running",
        "steps": 7, "missed_steps": 0, "refused_states": 0, **fields})


@pytest.mark.parametrize(("report", "age_s", "mood", "headline"), [
    (None, 0.0, WAITING, "No controller heard"),
    (status(), 0.5, GOOD, "Running"),
    (status(), 9.0, BAD, "Controller silent"),
    (status(e_stop_latched=True, mode="fault"), 0.5, BAD, "Emergency stop"),
    (status(e_stop_latched=True, lifecycle_state="inactive", mode="standby"), 0.5, BAD, "Emergency stop"),
    (status(lifecycle_state="inactive", mode="standby"), 0.5, WAITING, "Controller inactive"),
    (status(mode="fault", message="tilt"), 0.5, BAD, "Fault"),
    (status(mode="standby", message="policy ready"), 0.5, WAITING, "Standby"),
    (status(mode="standby", policy_refused=True), 0.5, BAD, "Policy refused")])
def test_headline_and_mood_of_a_report(report, age_s, mood, headline):
    words = status_words(report, age_s)
    assert (words.mood, words.headline) == (mood, headline)


def test_what_went_wrong_is_told_and_services_are_called_by_their_buttons():
    modes = ControllerModes()
    modes.e_stop("topic e_stop")
    words = status_words(status(mode="fault", e_stop_latched=True, message=modes.message, missed_steps=3,
                                refused_states=2), 0.1)
    assert words.sentences == ("Emergency stop by topic e_stop; press 'Reset emergency stop', then 'Enable'.",
                               "7 steps, 3 missed, 2 states refused.")
    modes.e_stop_reset()
    assert "press 'Enable'" in status_words(status(mode="standby", message=modes.message), 0.1).sentences[0]


def test_which_robot_is_shown_and_which_is_loaded():
    assert robot_words("", None) == "No robot description yet."
    assert robot_words("hexapod", status(robot_name="")).startswith("Robot hexapod; the controller has no policy")
    assert robot_words("hexapod", status(robot_name="hexapod")) == "Robot hexapod"
    assert "still has the policy of quadruped" in robot_words("hexapod", status())


def test_coverage_of_real_reports_in_words():
    ranges = GeneratorBundle.load(generator_folder("default")).trained_ranges
    body = read_urdf(robot_file("quadruped").read_text())
    inside = coverage_words(json.dumps(coverage_report(body, ranges)))
    assert (inside.mood, inside.headline) == (GOOD, "Inside the trained range")
    narrow = {**ranges, "mass": [0.0, 0.1], "features": {name: [5.0, 6.0] for name in ranges["features"]}}
    outside = coverage_words(json.dumps(coverage_report(body, narrow)))
    assert outside.mood == BAD and "Outside the trained range (0 %" in outside.headline
    assert outside.sentences[0].startswith("The body has") and "more." in outside.sentences[8]
    assert any("allow_out_of_distribution:=true" in sentence for sentence in outside.sentences)


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"outside": 1, "notes": [], "share_inside": 1}',
                                  '{"outside": [], "notes": [], "share_inside": "x", "in_distribution": true}'])
def test_a_damaged_coverage_report_is_said_so(text):
    assert coverage_words(text).headline == "The coverage report cannot be read"


def test_no_policy_no_states_and_missing_joints_are_said():
    assert coverage_words("").headline == "No policy yet"
    assert heard_words(None, ()) == "No joint states yet."
    assert "for 4 s" in heard_words(4.2, ())
    assert heard_words(0.1, ["hip", "knee"]).startswith("2 joints are not in joint_states, such as hip")
    assert heard_words(0.1, ()) == ""


def test_diagnostics_are_listed_by_name_with_their_mood():
    words = diagnostics_words({"b": (2, "broken"), "a": (0, "fine")})
    assert [(entry.headline, entry.mood, entry.sentences) for entry in words] == [
        ("a", GOOD, ("Fine.",)), ("b", BAD, ("Broken.",))]


def test_no_name_of_a_robot_is_markup():
    nasty = "<img src=x onerror=alert(1)>\x00\n\"'&"
    words = Words(BAD, nasty, (nasty,))
    blocks = (status_block(words, nasty, nasty), words_block(words), list_block([words]), answer_block(nasty, True))
    for block in blocks:
        assert "<img" not in block and "&lt;img" in block and "\x00" not in block
    assert len(answer_block("x" * 100_000, False)) < 1000


def test_a_history_keeps_its_newest_rows():
    history = History(2, size=3)
    assert [column.tolist() for column in history.columns(5.0)] == [[0.0], [0.0], [0.0]]
    for second in range(5):
        history.add(float(second), second * 10.0, -1.0)
    assert [column.tolist() for column in history.columns(5.0)] == [[-3, -2, -1], [20, 30, 40], [-1, -1, -1]]


def test_quantiles_of_what_has_come_since():
    histogram, increments = DurationHistogram(), Increments()
    histogram.add(0.5)
    assert increments.quantiles_ms(histogram.counts, histogram.max_s, (0.5,)) is None
    assert increments.quantiles_ms(histogram.counts, histogram.max_s, (0.5,)) is None, "nothing has come"
    for _ in range(9):
        histogram.add(1e-3)
    histogram.add(1e-2)
    median, largest = increments.quantiles_ms(histogram.counts, histogram.max_s, (0.5, 1.0))
    step = UPPER_BOUNDS_S[1] / UPPER_BOUNDS_S[0]
    assert 1.0 <= median <= step and 10.0 <= largest <= 10.0 * step, "not the half second of before"
    histogram.clear()
    histogram.add(2e-3)
    (again,) = increments.quantiles_ms(histogram.counts, histogram.max_s, (0.5,))
    assert 2.0 <= again <= 2.0 * step, "a histogram that began again"


def test_an_uploaded_robot_is_kept_in_a_private_folder_until_the_page_closes():
    uploads = UploadFolder()
    text = robot_file("hexapod").read_bytes()
    path = uploads.keep("../../etc/my robot.urdf", text)
    assert path.read_bytes() == text and path.name == "myrobot.urdf"
    assert path.parent.stat().st_mode & 0o077 == 0
    assert uploads.keep("..", text).name == "hexapod.urdf", "a file without a usable name"
    uploads.close()
    assert not path.parent.exists()


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", "'a.urdf' is refused"), (b"\xff\xfe", "is no text"), (b"<robot", "not well-formed"),
    (b"<html></html>", "'a.urdf' is refused"), (b"x" * 2_000_001, "2.0 MB; a robot description may have 2 MB at most")])
def test_an_upload_that_is_no_robot_is_refused_with_one_sentence(content, sentence):
    uploads = UploadFolder()
    with pytest.raises(HdError, match=sentence) as refused:
        uploads.keep("a.urdf", content)
    assert "\n" not in str(refused.value)
    assert uploads._folder is None, "nothing was kept"


def test_a_large_file_is_refused_by_its_size_alone():
    check_size("a.urdf", 2_000_000)
    with pytest.raises(HdError, match=r"'a.urdf' has 100.0 MB"):
        check_size("a.urdf", 100_000_000)
