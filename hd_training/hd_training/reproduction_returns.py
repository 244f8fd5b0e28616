"""Published returns: every episode behind the tables of `reproduce`, kept beside them in small files.

A file holds the returns of one arm with one seed on one set of robots, and the digest of the step that made them. Steps
whose returns are published need not be done again, on this machine or another; tables and figures come from these files
alone, so anybody can make them anew from the repository.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hd_controller.errors import HdError
from hd_training.reproduction_plan import Plan, Step
from hd_training.reproduction_queue import finished
from hd_training.reproduction_sources import about_teacher, versions
from hd_training.reproduction_steps import RETURNS, Workplace

KIND = "returns"


@dataclass(frozen=True)
class PublishedReturns:
    """The folder of published returns of one scale."""

    folder: Path

    def file(self, step: Step) -> Path:
        """Where the returns of a step lie."""
        return self.folder / f"{step.name.removeprefix('returns/')}.json"

    def read(self, step: Step) -> dict | None:
        """What is published of a step as it is planned now; None where nothing is.

        Raises:
            HdError: the file is damaged.
        """
        path = self.file(step)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return content if content["digest"] == step.digest and content["robots"] else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HdError(f"{path} is damaged ({error!r}); restore it, or remove it to make it anew") from error

    def require_room(self, steps: list[Step]) -> None:
        """HdError where returns of other settings, robots or teachers lie where those of these steps will."""
        for step in steps:
            if step.kind == KIND and self.file(step).exists() and self.read(step) is None:
                raise HdError(f"{self.file(step)} holds returns of other settings, robots or teachers than this run "
                              "has; choose another --results, or replace them with --overwrite")  # fmt: skip

    def write(self, step: Step, place: Workplace) -> None:
        """Publish what a finished step has left in its folder."""
        rows = json.loads((place.folder(step) / RETURNS).read_text(encoding="utf-8"))
        made_from = [each for each in closure(step) if finished(each, place)]
        head = {
            "step": step.name,
            "digest": step.digest,
            "seconds": {each.name: round(finished(each, place).seconds, 1) for each in made_from},
            "teachers": {
                each.name: about_teacher(place.teacher(each)) for each in made_from if each.name.startswith("teachers/")
            },
            "versions": versions(),
            "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        lines = ",\n".join(f"  {json.dumps([row['name'], row['body_id'], row['returns']])}" for row in rows)
        text = f'{json.dumps(head, indent=1)[:-2]},\n "robots": [\n{lines}\n ]\n}}\n'
        path = self.file(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)

    def means(self, step: Step) -> np.ndarray:
        """Mean return (R,) of each robot."""
        return np.array([np.mean(returns) for _name, _body, returns in self._present(step)["robots"]])

    def bodies(self, step: Step) -> list[str]:
        """Body id of each robot, in the order of :meth:`means`."""
        return [body for _name, body, _returns in self._present(step)["robots"]]

    def origin(self, steps: list[Step]) -> dict:
        """Teachers, versions and hours of computing behind the returns of these steps."""
        contents = [self._present(step) for step in steps]
        seconds = {name: value for content in contents for name, value in content["seconds"].items()}
        used = {json.dumps(content["versions"], sort_keys=True) for content in contents}
        return {
            "teachers": {name: about for content in contents for name, about in content["teachers"].items()},
            "versions": [json.loads(text) for text in sorted(used)],
            "hours": round(sum(seconds.values()) / 3600, 3),
            "written": max(content["written"] for content in contents),
        }

    def _present(self, step: Step) -> dict:
        content = self.read(step)
        if content is None:
            raise HdError(f"{self.file(step)}: returns of {step.name} are not published")
        return content


def closure(step: Step) -> list[Step]:
    """A step and all that it is made from, each once, needed ones first."""
    plan = Plan()
    plan.add(step)
    return plan.steps


def outstanding(plan: Plan, place: Workplace, published: PublishedReturns) -> list[Step]:
    """Steps that are to be done: returns that are not published, and what they are made from, in the plan's order."""
    lacking = [step for step in plan.steps if step.kind == KIND and published.read(step) is None]
    # Needed ones first, so that what differs is told of the step at which it begins.
    done = {each.name: finished(each, place) is not None for step in lacking for each in closure(step)}
    wanted: set[str] = set()

    def want(step: Step) -> None:
        if step.name not in wanted and not done[step.name]:
            wanted.add(step.name)
            for needed in step.needs:
                want(needed)

    for step in lacking:
        want(step)
    return [step for step in plan.steps if step.name in wanted]
