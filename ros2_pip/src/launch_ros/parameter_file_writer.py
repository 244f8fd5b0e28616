"""Parameters as the YAML file that a node reads when it starts."""
from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes, so that no reader takes it for a number or a truth value."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Dumper.add_representer(str, _quoted)

_folder: Path | None = None


def write_parameters(parameters: Mapping[str, Any]) -> str:
    """Write parameters for any node into a temporary file; return its path.

    The file lives as long as this process.
    """
    global _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="launch_params_"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    path = _folder / f"{len(list(_folder.iterdir()))}.yaml"
    content = {"/**": {"ros__parameters": dict(parameters)}}
    path.write_text(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return str(path)


def flattened(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one, with names joined by dots."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
