"""A policy file for a measured controller, made for any control period."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hd_controller.policy_bundle import PolicyBundle


@contextmanager
def policy_file(policy: PolicyBundle, rate_hz: float) -> Iterator[Path]:
    """The policy as a file with another control period; how a robot would move with it is not measured here."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policy.npz"
        dataclasses.replace(policy, control_period_s=1.0 / rate_hz).save(file)
        yield file


def controller_arguments(file: Path, rate_hz: float, **parameters: object) -> list[str]:
    """Command line of a controller node that runs this file at this rate."""
    values = {"policy_file": file, "control_period": 1.0 / rate_hz, "allow_out_of_distribution": True, **parameters}
    arguments = ["--ros-args", "--log-level", "error"]
    for name, value in values.items():
        arguments += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
    return arguments
