"""What is given to a launch file and would be passed over: arguments that it does not have, parameters in vain.

ROS takes both in silence: a robot that was given `dryrun:=true` or `effort_scale:=0.3` would move at full effort.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import yaml

from hd_controller.errors import HdError

OF_LAUNCH_ITSELF = {"emulate_tty", "sigterm_timeout", "sigkill_timeout", "ros_namespace"}
"""Arguments that launch itself looks for; the others have names with hyphens or leading underscores."""
BLOCK = "ros__parameters"


def refuse_unknown_arguments(file: str, declared: Collection[str], command_line: Sequence[str] | None = None) -> None:
    """Raise HdError for a NAME:=VALUE that the launch file does not declare.

    Only where the command line (default: this process's) names that file. Otherwise another launch file includes it,
    and the arguments are that one's.
    """
    words = sys.argv if command_line is None else command_line
    places = [index for index, word in enumerate(words) if ":=" not in word and Path(word).name == file]
    for word in words[places[0] + 1:] if places else []:
        name, separator, _ = word.partition(":=")
        if separator and re.fullmatch(r"[A-Za-z]\w*", name) and name not in {*declared, *OF_LAUNCH_ITSELF}:
            alike = get_close_matches(name, declared, 1)
            advice = (f"is '{alike[0]}' meant?" if alike else
                      "--show-args lists them, and a node's parameters come from a file, params_file:=FILE")
            raise HdError(f"{file} has no argument '{name}'; {advice}")


def check_parameter_file(path: str, nodes: Collection[str], declared: Collection[str]) -> None:
    """Raise HdError for a parameter file that is not there, has nothing for these nodes, or sets a declared argument.

    `nodes` are their full names, as /robot_1/controller_node. Which of argument and file would win depends on how the
    file names the node: for ROS a full name goes before one with *, wherever it stands.
    """
    fitting = [values for name, values in _blocks(_content(path)) if any(_means(name, node) for node in nodes)]
    if not fitting:
        raise HdError(f"params_file '{path}' has no parameters for {' or '.join(nodes)}; expected lines such as "
                      f"'/**/{next(iter(nodes)).rpartition('/')[2]}:' and, below it, '{BLOCK}:'")
    for name in sorted({str(name) for values in fitting for name in values} & set(declared)):
        raise HdError(f"params_file '{path}' sets '{name}', which is an argument of the launch file: take it out, and "
                      f"give {name}:=VALUE")


def full_names(nodes: Sequence[str], *namespaces: str) -> list[str]:
    """Full names of the nodes below the namespaces; one with a leading slash stands alone."""
    parts: list[str] = []
    for namespace in namespaces:
        parts = [*([] if namespace.startswith("/") else parts), *filter(None, namespace.split("/"))]
    return ["/" + "/".join([*parts, node]) for node in nodes]


def _content(path: str) -> object:
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise HdError(f"params_file '{path}' cannot be read: {problem.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise HdError(f"params_file '{path}' is no YAML file: {' '.join(str(problem).split())}") from None


def _blocks(content: object, above: str = "") -> Iterator[tuple[str, Mapping[object, object]]]:
    """Each block of parameters with the name of the nodes that it is for, which may contain * and **."""
    for key, value in content.items() if isinstance(content, Mapping) else ():
        if key == BLOCK and isinstance(value, Mapping):
            yield above, value
        else:
            yield from _blocks(value, f"{above}/{str(key).strip('/')}")


def _means(name: str, node: str) -> bool:
    """Whether ROS takes the name in a parameter file for this node: * is one part of a name, ** any number of them."""
    pattern = "".join({"/**": "(/[^/]+)*", "/*": "/[^/]+"}.get(part, re.escape(part))
                      for part in re.findall(r"/[^/]*", name))
    return re.fullmatch(pattern, node) is not None
