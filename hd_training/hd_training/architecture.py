"""Which actor and critic a run trains, as plain values: the compact teacher or a network of the papers."""

from __future__ import annotations

from dataclasses import asdict

from torch import nn

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_training.network_sizes import PAPER_LIMBS
from hd_training.paper_networks import NETWORKS, NetworkInputs, paper_network
from hd_training.presets import COMPACT, Preset, TeacherConfig
from hd_training.teacher import Teacher


def describe_architecture(preset: Preset, robots: list[Morphology]) -> dict:
    """Name and sizes of the network of a preset, with room for these robots; HdError for an unknown name.

    Limbs and robots that there is room for matter to networks that know them by their place; others ignore them.
    """
    if preset.network == COMPACT:
        return {"network": COMPACT, **asdict(preset.teacher)}
    if preset.network not in NETWORKS:
        known = ", ".join([COMPACT, *sorted(NETWORKS)])
        raise HdError(f"network '{preset.network}' is unknown, expected one of {known}")
    architecture = {"network": preset.network, "std": preset.action_std}
    if preset.network in ("metamorph", "multi_robot_mlp", "single_robot_mlp"):
        architecture["max_limbs"] = max(PAPER_LIMBS, *(len(robot.limbs) for robot in robots))
    if preset.network == "single_robot_mlp":
        architecture["robots"] = len(robots)
    return architecture


def stored_architecture(content: dict) -> dict:
    """The architecture of a checkpoint or archive; those that name none hold the compact teacher."""
    if "architecture" in content:
        return content["architecture"]
    return {"network": COMPACT, **content["teacher_config"]}


def build_network(architecture: dict) -> nn.Module:
    """Actor and critic with freshly drawn weights (torch's global generator)."""
    sizes = {name: value for name, value in architecture.items() if name not in ("network", "std")}
    if architecture["network"] == COMPACT:
        return Teacher(TeacherConfig(**sizes))
    return paper_network(architecture["network"], NetworkInputs(**sizes), std=architecture["std"])
