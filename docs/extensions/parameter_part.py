"""The part `parameters`: what each node declares when it is made, asked of the nodes themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from markdown_table import code, escaped, table


def markdown() -> str:
    """One table for each node. The nodes are made in a process of their own."""
    program = Path(__file__).with_name("declared_parameters.py")
    done = subprocess.run([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, check=True)
    nodes = json.loads(done.stdout.splitlines()[-1])
    return "\n".join(_section(name, parameters) for name, parameters in nodes.items())


def _section(name: str, parameters: list[dict]) -> str:
    rows = [
        [code(entry["name"]), code(_shown(entry["default"])), escaped(entry["meaning"] + _when(entry))]
        for entry in parameters
    ]
    return f"### {name}\n\n" + table(["parameter", "default", "meaning"], rows)


def _shown(value: object) -> str:
    """A default as YAML takes it."""
    return json.dumps(value)


def _when(entry: dict) -> str:
    return "" if entry["read_only"] else " (can be changed while the node runs)"
