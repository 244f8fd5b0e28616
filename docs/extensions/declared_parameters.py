"""Prints as JSON what every node of the packages declares: name, default, meaning, whether it can be changed.

Each node is made and started as `run_node` would do it, then ended; nothing spins.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.node import Node

from hd_controller.errors import HdError
from hd_system_tests.console_scripts import node_scripts

OF_ROS = ("use_sim_time", "start_type_description_service")
"""Parameters that every ROS 2 node has."""


def declared(package: str, name: str) -> list[dict]:
    """The parameters of a node, in the order of their declaration.

    Raises:
        RuntimeError: one of them has no description.
    """
    seen: list[dict] = []
    original = Node.declare_parameters

    def record(self: Node, namespace: str, parameters: list, *rest: object, **options: object) -> object:
        seen.extend(_entry(name, *parameter) for parameter in parameters if parameter[0] not in OF_ROS)
        return original(self, namespace, parameters, *rest, **options)

    module = importlib.import_module(f"{package}.{name}")
    module.run_node = _started
    Node.declare_parameters = record
    module.main()
    Node.declare_parameters = original
    return seen


def _started(make_node: Callable[[], Any], *_: object) -> int:
    """In the place of `run_node`: a node that must be told something first has declared by then what it takes."""
    node = None
    try:
        node = make_node()
        node.start(lambda function: None)
    except HdError:
        pass
    finally:
        if node is not None:
            node.stop()
            node.destroy_node()
    return 0


def _entry(node: str, name: str, default: object = None, descriptor: object = None) -> dict:
    if descriptor is None or not descriptor.description:
        raise RuntimeError(f"parameter {name} of {node} has no description; add one where it is declared")
    return {"name": name, "default": default, "meaning": descriptor.description, "read_only": descriptor.read_only}


def main() -> int:
    """Make every node once."""
    rclpy.init(args=[])
    found = {name: declared(package, name) for package, name in node_scripts()}
    rclpy.shutdown()
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
