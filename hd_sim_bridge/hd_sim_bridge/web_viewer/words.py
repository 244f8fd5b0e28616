"""What the operator's page says of a robot, in words. Needs no ROS: messages are read by their fields' names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

SILENT_S = 3.0
"""A controller reports once a second; after this long without a report it counts as gone."""
MOST_LISTED = 8
GOOD, WAITING, BAD = "good", "waiting", "bad"


class Status(Protocol):
    """The fields of hd_msgs/ControllerStatus that are told."""

    lifecycle_state: str
    mode: str
    robot_name: str
    robot_id: str
    in_distribution: bool
    e_stop_latched: bool
    policy_refused: bool
    message: str
    steps: int
    missed_steps: int
    refused_states: int


@dataclass(frozen=True)
class Words:
    """A headline with its mood (good, waiting or bad), and sentences under it."""

    mood: str
    headline: str
    sentences: tuple[str, ...] = ()


def status_words(status: Status | None, age_s: float) -> Words:
    """What the controller does, from its newest report, which is `age_s` old; None: there has been none."""
    if status is None:
        return Words(WAITING, "No controller heard", ("Nothing has come on topic status yet.",))
    if age_s > SILENT_S:
        return Words(BAD, "Controller silent", (f"The last report is {age_s:.0f} s old. What the robot does now is not "
                                                "known here.",))
    told = "" if status.message == "running" else _sentence(_with_buttons(status.message))
    sentences = tuple(filter(None, (told, _counters(status))))
    if status.e_stop_latched:
        return Words(BAD, "Emergency stop", sentences)
    if status.lifecycle_state != "active":
        return Words(WAITING, f"Controller {status.lifecycle_state}", sentences)
    if status.mode == "run":
        return Words(GOOD, "Running", sentences)
    if status.mode == "fault":
        return Words(BAD, "Fault", sentences)
    return Words(BAD if status.policy_refused else WAITING,
                 "Policy refused" if status.policy_refused else "Standby", sentences)


def robot_words(shown: str, status: Status | None) -> str:
    """Which robot is shown, and which one the controller has a policy for."""
    if not shown:
        return "No robot description yet."
    loaded = status.robot_name if status is not None else ""
    if not loaded:
        return f"Robot {shown}; the controller has no policy for it."
    return f"Robot {loaded}" if loaded == shown else f"Robot {shown}; the controller still has the policy of {loaded}."


def coverage_words(coverage_json: str) -> Words:
    """How far the robot lies inside what the generator was trained on; an empty text: there is no policy yet."""
    if not coverage_json:
        return Words(WAITING, "No policy yet", ())
    try:
        coverage = json.loads(coverage_json)
        outside, notes = [str(item) for item in coverage["outside"]], [str(item) for item in coverage["notes"]]
        share = float(coverage["share_inside"])
        inside = bool(coverage["in_distribution"])
    except (ValueError, KeyError, TypeError):
        return Words(BAD, "The coverage report cannot be read", ())
    if inside:
        all_of_it = "All numbers of this body lie in what the generator was trained on."
        return Words(GOOD, "Inside the trained range", (all_of_it, *notes))
    headline = f"Outside the trained range ({100 * share:.0f} % of its numbers inside)"
    advice = "Such a robot stands still unless the controller runs with allow_out_of_distribution:=true."
    return Words(BAD, headline, (*_listed(outside), advice, *notes))


def diagnostics_words(entries: Mapping[str, tuple[int, str]]) -> list[Words]:
    """One each for the nodes' entries in /diagnostics: name -> (level 0 to 3, sentence)."""
    moods = {0: GOOD, 1: WAITING}
    return [Words(moods.get(level, BAD), name, (_sentence(sentence),) if sentence else ())
            for name, (level, sentence) in sorted(entries.items())]


def heard_words(state_age_s: float | None, missing_joints: Iterable[str]) -> str:
    """Whether states arrive; None: none so far."""
    if state_age_s is None:
        return "No joint states yet."
    missing = list(missing_joints)
    if missing:
        return f"{len(missing)} joints are not in joint_states, such as {missing[0]}: they are drawn at rest."
    if state_age_s > 1.0:
        return f"No joint states for {state_age_s:.0f} s: the robot is paused or gone."
    return ""


def _with_buttons(text: str) -> str:
    """The controller names services; on the page they are buttons."""
    reset, enable = "press 'Reset emergency stop'", "press 'Enable'"
    text = text.replace("call ~/e_stop_reset, then ~/enable", f"{reset}, then 'Enable'")
    return text.replace("call ~/e_stop_reset", reset).replace("call ~/enable", enable)


def answer_words(sentence: str) -> str:
    """A node's answer, as a sentence."""
    return _sentence(_with_buttons(sentence))


def _counters(status: Status) -> str:
    """Steps and what went wrong among them."""
    parts = [f"{status.steps} steps"]
    if status.missed_steps:
        parts.append(f"{status.missed_steps} missed")
    if status.refused_states:
        parts.append(f"{status.refused_states} states refused")
    return ", ".join(parts) + "."


def _sentence(text: str) -> str:
    """Upper case at the begin and a full stop at the end."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _listed(sentences: list[str]) -> list[str]:
    """The first ones, and how many more there are."""
    rest = len(sentences) - MOST_LISTED
    return sentences if rest <= 0 else [*sentences[:MOST_LISTED], f"And {rest} more."]
