"""``doctor``: what is right and what is missing on this computer for running the controller.

Exit code: 0 nothing is missing (there may be warnings), 1 something is missing, 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hd_controller.command_manners import mannered
from hd_controller.doctor_computer import computer
from hd_controller.doctor_findings import MISSING, OK, WARNING, Finding
from hd_controller.doctor_software import software

EXAMPLES = """examples:
  doctor                           this computer, the shipped generator and a robot that runs, if there is one
  doctor --robot my_robot.urdf     a robot of yours: is its description read, is it in the trained range
  doctor --json --no-ros           for a script, on a computer without ROS 2

exit code: 0 nothing is missing, 1 something is missing, 2 wrong command line"""
MARKS = {OK: "  ok      ", WARNING: "  WARNING ", MISSING: "  MISSING "}


def attempt(area: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    """The findings of a check; one that breaks is a finding too."""
    try:
        return check()
    except Exception as problem:  # the doctor's patient may be ill in any way
        text = f"the check failed ({type(problem).__name__}: {problem})"
        return [Finding(area, MISSING, text, "see the lines above")]


def examine(options: argparse.Namespace) -> Iterator[list[Finding]]:
    """The findings of each area, as soon as they are there."""
    policy = None

    def policies() -> list[Finding]:
        nonlocal policy
        from hd_controller import doctor_policy

        findings = doctor_policy.generator(options.generator)
        more, policy = doctor_policy.robot(options.robot, options.generator, options.seconds)
        return findings + [one for one in more if one.text not in {other.text for other in findings}]

    def messages() -> list[Finding]:
        from hd_controller.doctor_middleware import middleware

        return middleware(policy if options.robot_given else None, options.listen)

    areas = {"software": lambda: software(with_ros=not options.no_ros), "computer": computer, "policy": policies}
    if not options.no_ros:
        areas["middleware"] = messages
    for area, check in areas.items():
        print(f"examining {area} ...", file=sys.stderr, flush=True)
        yield attempt(area, check)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="doctor", description=__doc__.splitlines()[0],
                                     epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robot", help="shipped robot's name, URDF or MJCF file, or policy bundle (.npz) "
                                        "(default: quadruped)")
    parser.add_argument("--generator", default="default", help="a shipped generator or the folder of a bundle")
    parser.add_argument("--seconds", type=float, default=3.0, help="of measuring the control loop (%(default)s)")
    parser.add_argument("--listen", type=float, default=2.0, help="seconds of listening for a robot (%(default)s)")
    parser.add_argument("--no-ros", action="store_true", help="leave out messages: for a computer without ROS 2")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    for name in ("seconds", "listen"):
        if not 0 < getattr(options, name) <= 3600:
            parser.error(f"--{name} is {getattr(options, name):g}; expected more than 0 and at most 3600")
    options.robot_given = options.robot is not None
    options.robot = options.robot or "quadruped"
    return options


def show(findings: list[Finding], area: str) -> None:
    """Print findings; `area` is that of the last one printed."""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            print(area)
        print(MARKS[finding.level] + finding.text)
        if finding.advice:
            print(f"            -> {finding.advice}")
    sys.stdout.flush()


@mannered
def main(arguments: list[str] | None = None) -> int:
    """Examine, print, and say by the exit code whether something is missing."""
    options = parse(arguments)
    found: list[Finding] = []
    for findings in examine(options):
        if not options.json:
            show(findings, found[-1].area if found else "")
        found += findings
    counts = {level: sum(finding.level == level for finding in found) for level in MARKS}
    if options.json:
        print(json.dumps({"counts": counts, "findings": [dataclasses.asdict(finding) for finding in found]}, indent=1))
        return 1 if counts[MISSING] else 0
    print(f"{counts[OK]} right, {counts[WARNING]} warnings, {counts[MISSING]} missing")
    return 1 if counts[MISSING] else 0


if __name__ == "__main__":
    sys.exit(main())
