"""Which actor and critic a run trains, as plain values: the compact teacher or a network of the papers."""

from __future__ import annotations

from dataclasses import asdict, replace

from torch import nn

from hd_controller.errors import HdError
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SIZE
from hd_training.actor_critic import ActorCritic
from hd_training.hypernetwork import Hypernetwork
from hd_training.limb_mlp import SingleRobotMlp
from hd_training.network_sizes import PAPER_LIMBS, SLOTS, MlpSize
from hd_training.paper_networks import NETWORKS, NetworkInputs, paper_network
from hd_training.presets import COMPACT, EXPERT, HYPERDISTILL, Preset, StudentConfig, TeacherConfig
from hd_training.teacher import Teacher


def describe_architecture(preset: Preset, robots: list[Morphology]) -> dict:
    """Name and sizes of the network of a preset, with room for these robots; HdError for an unknown name.

    Limbs and robots that there is room for matter to networks that know them by their place; others ignore them.
    """
    if preset.network == COMPACT:
        return {"network": COMPACT, **asdict(preset.teacher)}
    if preset.network == EXPERT:
        return {"network": EXPERT, **asdict(preset.expert), "limbs": _limbs_of_one(robots)}
    if preset.network == HYPERDISTILL:
        sizes = replace(preset.student, dropout_placement="none")  # PPO needs the same policy in rollout and update
        return {"network": HYPERDISTILL, "std": preset.action_std, **asdict(sizes)}
    if preset.network not in NETWORKS:
        known = ", ".join([COMPACT, EXPERT, HYPERDISTILL, *sorted(NETWORKS)])
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
    if architecture["network"] == EXPERT:
        return _expert(**sizes)
    if architecture["network"] == HYPERDISTILL:
        actor, critic = (Hypernetwork(StudentConfig(**sizes), outputs=outputs) for outputs in (SLOTS, 1))
        return ActorCritic(actor, critic, std=architecture["std"])
    return paper_network(architecture["network"], NetworkInputs(**sizes), std=architecture["std"])


def _limbs_of_one(robots: list[Morphology]) -> int:
    """Limbs of the only robot that an expert has; HdError for several."""
    if len(robots) != 1:
        raise HdError(f"an expert is the network of one robot, {len(robots)} given; use train_experts for many")
    return len(robots[0].limbs)


def _expert(*, width: int, hidden: int, initial_std: float, limbs: int) -> nn.Module:
    """One robot's MLPs with a learned std of actions (the papers' single-robot MLP has a fixed one)."""
    size = MlpSize(width=width, hidden=hidden)
    actor, critic = (
        SingleRobotMlp(observation_size=OBSERVATION_SIZE, outputs=outputs, limbs=limbs, size=size)
        for outputs in (SLOTS, 1)
    )
    return ActorCritic(actor, critic, std=initial_std, learned_std=True)
