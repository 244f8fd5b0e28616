"""The robots of a reproduction: training robots and their mutants, test robots, and the sets that steps work on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.robot_file import read_robot
from hd_training.mutate_robots import mutants, parent_plans
from hd_training.reproduction_experiments import CHOSEN, PD, TEST, TEST_PART, TRAIN, TRAIN_PART
from hd_training.robot_set import write_robots
from hd_training.student_evaluation import some

SETS = "sets.json"


@dataclass(frozen=True)
class GivenRobots:
    """Training and test robots of the command line, no body in both."""

    training: list[Morphology]
    test: list[Morphology]

    @staticmethod
    def of(
        training: list[Morphology], test: list[Morphology], known: frozenset[str] | set[str] = frozenset()
    ) -> GivenRobots:
        """Leaves out test robots that are training robots or that a given teacher knows (`known`, body ids).

        Raises:
            HdError: two robots share a name, or no test robot is left.
        """
        seen = {robot.body_id for robot in training} | known
        apart = [robot for robot in test if robot.body_id not in seen]
        if len(apart) < len(test):
            print(f"{len(test) - len(apart)} test robots are left out: training robots, or known to the teacher")
        names = [robot.name for robot in [*training, *apart]]
        shared = sorted({name for name in names if names.count(name) > 1})
        if shared:
            raise HdError(f"two different robots are called {shared[0]}; rename one of them, results go by name")
        if not apart:
            raise HdError("every test robot was trained with; give others with --test-robots")
        return GivenRobots(training, apart)

    @property
    def sha256(self) -> str:
        """Digest of all bodies in their order."""
        bodies = [[robot.body_id for robot in robots] for robots in (self.training, self.test)]
        return hashlib.sha256(json.dumps(bodies).encode()).hexdigest()


def pd_robots(training: list[Morphology], total: int, seed: int, known: set[str]) -> list[Morphology]:
    """The training robots, then their first mutants, their second ones and so on, `total` in all.

    The first n of them are n robots whatever the total, so that smaller sets are parts of larger ones. No mutant has a
    body of `known`.
    """
    if total <= len(training):
        return training[:total]
    plans = parent_plans(training)
    each = -(-(total - len(training)) // len(plans))
    made, _ = mutants(plans, [each] * len(plans), seed, known=known)
    in_rounds = [made[plan * each + number] for number in range(each) for plan in range(len(plans))]
    return [*training, *in_rounds][:total]


def write_sets(given: GivenRobots, settings: dict, folder: Path, experts: set[str] | None) -> None:
    """Robot files in `folder`/pd and `folder`/test, and the names of every set; `experts` are bodies that have one."""
    counts = settings["counts"]
    training, test = some(given.training, counts[TRAIN]), some(given.test, counts[TEST])
    robots = pd_robots(training, counts[PD], settings["seed"], {robot.body_id for robot in given.test})
    able = [robot for robot in training if experts is None or robot.body_id in experts]
    if len(able) < counts[CHOSEN]:
        raise HdError(
            f"the folder of experts has those of {len(able)} training robots, expected {counts[CHOSEN]}; train more "
            "with train_experts or leave --experts out"
        )
    sets = {
        TRAIN: training, TEST: test, PD: robots, CHOSEN: some(able, counts[CHOSEN]),
        TRAIN_PART: some(training, counts[TRAIN_PART]), TEST_PART: some(test, counts[TEST_PART]),
    }  # fmt: skip
    write_robots(robots, folder / PD, {"training_robots": len(training)})
    write_robots(test, folder / TEST, {})
    named = {name: [robot.name for robot in members] for name, members in sets.items()}
    temporary = folder / (SETS + ".part")
    temporary.write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")
    temporary.replace(folder / SETS)


def read_set(folder: Path, name: str, count: int | None = None) -> list[Morphology]:
    """The robots of a set, or its first `count`."""
    names = json.loads((folder / SETS).read_text(encoding="utf-8"))[name][:count]
    of_test = name in (TEST, TEST_PART)
    return [read_robot(folder / (TEST if of_test else PD) / f"{robot}.urdf") for robot in names]
