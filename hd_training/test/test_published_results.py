"""The tables in docs/results against the returns of every episode that are published beside them."""

import csv
import json
from pathlib import Path

import pytest

from hd_training.reproduction_differences import differences
from hd_training.reproduction_experiments import SCALES, experiments
from hd_training.reproduction_plan import Planner, Sources, Step
from hd_training.reproduction_report import scores
from hd_training.reproduction_returns import PublishedReturns

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
TABLES = sorted(RESULTS.glob("*_laptop.json"))


class AsPublished(PublishedReturns):
    """Returns as they were published, whatever today's presets are."""

    def read(self, step: Step) -> dict:
        return json.loads(self.file(step).read_text(encoding="utf-8"))


def test_there_are_tables():
    assert TABLES


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_follows_from_its_returns(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    scale, counts = SCALES["laptop"], content["robots"]
    sources = Sources(content["robots_sha256"], counts["train"], counts["test"], teacher=("given", "sha256"))
    experiment = experiments(scale)[content["experiment"]]
    units = Planner(scale, sources, content["seeds"]).plan([experiment]).units[experiment.name]
    published = AsPublished(RESULTS / "returns_laptop")
    found = scores(experiment, units, published)
    with open(path.with_suffix(".csv"), newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["mean"]) for row in rows] == pytest.approx([item.mean for item in found], abs=1e-3)
    assert [row["group"] for row in rows] == [item.group for item in found]
    assert [int(row["count"]) for row in rows] == [item.count for item in found]
    told = [(item["group"], item["robots"], item["mean"], item["low"]) for item in content["differences"]]
    assert told == [(item.group, item.robots, pytest.approx(item.mean), pytest.approx(item.low))
                    for item in differences(experiment, units, published)]  # fmt: skip
