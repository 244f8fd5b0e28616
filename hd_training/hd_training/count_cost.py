"""Command `count_cost`: the paper's table of model sizes and FLOPs, counted from layer shapes."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from dataclasses import asdict

from hd_controller.errors import HdError
from hd_training.cost_measurement import measure
from hd_training.cost_table import RULES, Cell, generation_rows, ratios, table

DESCRIPTION = """Count parameters and FLOPs per control step of HyperDistill and the methods it is compared with, and
print them beside the published Table 1 (Xiong et al., ICML 2024); then wall time and memory of each method, measured
on this machine (half a minute)."""
EXAMPLES = """examples:
  count_cost                 the table, and wall time and memory on this machine
  count_cost --no-measure    the table alone, at once
  count_cost --json          both for a script, with every cell's rule and terms

exit code: 0 every cell agrees with the paper, 1 one differs, 2 wrong command line"""


def text_report(cells: list[Cell], measurements: list[dict] | None) -> str:
    """The whole report as text."""
    lines = [f"{'method':<24}{'environment':<18}{'quantity':<10}{'published':>10}{'ours':>12}{'difference':>12}"]
    for cell in sorted(cells, key=lambda cell: list(RULES).index(cell.method)):
        note = "" if cell.agrees else "  differs"
        lines.append(
            f"{cell.method:<24}{cell.environment:<18}{cell.quantity:<10}{cell.published:>10.2f}{cell.ours:>12.6f}"
            f"{cell.ours - cell.published:>+12.4f}{note}"
        )
    agreeing = sum(cell.agrees for cell in cells)
    lines.append(f"Values in millions; {agreeing} of {len(cells)} within 0.01 of the published value.")
    lines += ["", "Rules (12 limbs; a multiply and an add are 2 FLOPs, without biases, norms and activations)"]
    for method, rule in RULES.items():
        lines += textwrap.wrap(f"{method}: {rule}", 110, initial_indent="  ", subsequent_indent="    ")
    lines += ["", "Generating a policy, once per robot (hypernetwork, 53 context features)"]
    for row in generation_rows():
        lines.append(
            f"  {row['environment']}: {row['flops']:.1f} M FLOPs (published {row['published_flops']:.0f} M), "
            f"{row['parameters']:.2f} M parameters"
        )
    lines += ["", "HyperDistill against the ModuMorph oracle"]
    lines += [f"  {name}: {size:.1f} x smaller, {flops:.1f} x fewer FLOPs" for name, (size, flops) in ratios().items()]
    return "\n".join(lines + _measured_lines(measurements)) + "\n"


def _measured_lines(measurements: list[dict] | None) -> list[str]:
    if measurements is None:
        return []
    lines = ["", "Measured here: one control step, flat terrain, 12 limbs, batch 1, one thread"]
    lines.append(f"  {'method':<38}{'median us':>10}{'p99 us':>10}{'held MB':>10}{'process MB':>12}")
    for row in measurements:
        lines.append(
            f"  {row['method']:<38}{row['median_us']:>10.1f}{row['slow_us']:>10.1f}{row['held_mb']:>10.3f}"
            f"{row['process_mb']:>12.0f}"
        )
    lines.append("  held: numbers that a method keeps between steps; process: a process that runs nothing else")
    return lines


def json_report(cells: list[Cell], measurements: list[dict] | None) -> str:
    """The same as JSON, with each cell's rule and the sum behind it."""
    content = {
        "unit": "millions",
        "cells": [cell.to_dict() for cell in cells],
        "generation": generation_rows(),
        "oracle_over_hyperdistill": {name: {"size": s, "flops": f} for name, (s, f) in ratios().items()},
    }
    if measurements is not None:
        content["measured"] = measurements
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Print the table; returns 0 where every cell agrees with the paper, else 1."""
    parser = argparse.ArgumentParser(
        prog="count_cost", description=DESCRIPTION, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON, with every cell's rule and terms")
    parser.add_argument(
        "--no-measure", action="store_true", help="leave out wall time and memory of a control step on this machine"
    )
    arguments = parser.parse_args(argv)
    try:
        if not arguments.no_measure:
            print("measuring on this machine ...", file=sys.stderr, flush=True)
        measurements = None if arguments.no_measure else [asdict(row) for row in measure()]
    except HdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    cells = table()
    sys.stdout.write((json_report if arguments.json else text_report)(cells, measurements))
    return 0 if all(cell.agrees for cell in cells) else 1


if __name__ == "__main__":
    raise SystemExit(main())
