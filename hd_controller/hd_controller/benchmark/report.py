"""Rows of the benchmark table: a value, the bar it is held to, and how it was measured."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One figure; `at_most` and `at_least` are bars, None where there is none to hold."""

    group: str
    name: str
    value: float | None
    """None where it could not be measured; `how` then says why."""
    unit: str
    how: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def bar(self) -> str:
        """The bar in words; empty without one."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, `not measured`, or empty where there is no bar."""
        if self.value is None:
            return "not measured"
        if not self.bar:
            return ""
        low = self.at_least is None or self.value >= self.at_least
        high = self.at_most is None or self.value <= self.at_most
        return "met" if low and high else "missed"

    def to_dict(self) -> dict[str, object]:
        """Plain dictionary for JSON."""
        return asdict(self) | {"bar": self.bar, "verdict": self.verdict}


def not_measured(group: str, name: str, unit: str, why: str, **bar: float) -> Row:
    """A row without a value."""
    return Row(group, name, None, unit, why, **bar)


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and max of a list."""
    return {"p50": statistics.median(values), "p99": float(np.percentile(values, 99)), "max": max(values)}


def table(rows: Sequence[Row]) -> str:
    """The rows as text, one line each."""
    cells = [("what", "value", "unit", "bar", "verdict", "how measured")]
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.3g}" if row.value < 1000 else f"{row.value:.0f}"
        cells.append((f"{row.group}: {row.name}", value, row.unit, row.bar, row.verdict, row.how))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    aligned = []
    for line in cells:
        parts = [line[0].ljust(widths[0]), line[1].rjust(widths[1])]
        parts += [line[column].ljust(widths[column]) for column in (2, 3, 4)]
        aligned.append("  ".join([*parts, line[5]]).rstrip())
    return "\n".join(aligned)


def as_json(rows: Sequence[Row], machine: dict[str, object]) -> str:
    """The rows and the machine they were measured on."""
    return json.dumps({"machine": machine, "rows": [row.to_dict() for row in rows]}, indent=1)
