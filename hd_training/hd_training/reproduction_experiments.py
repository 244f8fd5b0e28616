"""What `reproduce` compares: the paper's experiments on flat terrain, and the amounts of each scale. Data only.

Figures are those of HyperDistill (Xiong et al., ICML 2024). An experiment is a list of arms; an arm is one policy, or
one per seed, whose returns become one bar. `docs/reproduction.md` says what differs from the paper and why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hd_training.presets import COMPACT, DROPOUT_PLACEMENTS, HYPERDISTILL, LAPTOP, PAPER, SMOKE, Preset

UNIVERSAL, EXPERTS = "universal", "experts"
"""Teachers: one for all robots, or an MLP for each."""
TEACHER, RL, ORACLE = "teacher", "rl", "oracle"
"""Networks of arms that are no student of their own name: the teacher itself, the hypernetwork trained by PPO, and the
student with the teacher's architecture."""
PD, CHOSEN, TRAIN, TEST, TRAIN_PART, TEST_PART = "pd", "chosen", "train", "test", "train_part", "test_part"
"""Sets of robots: those of distillation, those with experts, and those of evaluations."""
SET_TITLES = {
    TRAIN: "training robots", TEST: "unseen robots", TRAIN_PART: "training robots", TEST_PART: "unseen robots",
    CHOSEN: "training robots with experts",
}  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One policy of an experiment, in the group `group` of bars and the colour `series`."""

    group: str
    series: str = "HyperDistill"
    network: str = HYPERDISTILL  # a student's name, or one of TEACHER, RL and ORACLE
    teacher: str = UNIVERSAL
    robots: str = PD  # whose trajectories the student learns from
    robot_count: int | None = None  # the first so many of them; None: as the scale says
    student: tuple[tuple[str, object], ...] = ()  # changed fields of StudentConfig
    context: str = "default"
    alone: bool = False  # a student for each robot instead of one for all

    @property
    def name(self) -> str:
        """Group and series, as a table's row is called."""
        return ", ".join(word for word in (self.group, self.series) if word)


@dataclass(frozen=True)
class Experiment:
    """Arms that are compared, and the robots on which they are."""

    name: str
    figure: str  # of the paper
    title: str
    arms: tuple[Arm, ...]
    reference: str  # the group that the others of each series are compared with
    sets: tuple[str, ...] = (TRAIN_PART, TEST_PART)
    main: bool = False  # seeds and episodes of the main comparison instead of those of ablations


@dataclass(frozen=True)
class Seeds:
    """Runs of each kind of arm."""

    main: int
    ablation: int
    rl: int


@dataclass(frozen=True)
class Scale:
    """All amounts of a reproduction."""

    name: str
    preset: Preset
    training_robots: int | None  # of those given; None: all
    test_robots: int | None
    pd_robots: int  # training robots and their mutants
    transitions: int  # of each PD robot
    pd_counts: tuple[int, ...]  # numbers of PD robots that are compared at constant total data
    experts: int  # robots with a single-robot teacher
    expert_steps: int  # of each
    expert_transitions: int  # of each of these robots
    environments: int  # of each robot while collecting
    passes: float  # over the data, for students of the main comparison
    part_passes: float  # for those of ablations
    oracle: str  # student with the teacher's architecture
    rl_minutes: float  # of PPO on the hypernetwork [min]
    seeds: Seeds
    episodes: int  # of each robot in the main comparison
    part_robots: int  # of each set in ablations
    part_episodes: int
    episode_steps: int = 1000


SMOKE_PRESET = replace(SMOKE, ppo=replace(SMOKE.ppo, minutes=0.1))
SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="smoke", preset=SMOKE_PRESET, training_robots=2, test_robots=2, pd_robots=4, transitions=200,
            pd_counts=(2, 4), experts=2, expert_steps=2048, expert_transitions=200, environments=2, passes=1,
            part_passes=1,
            oracle=COMPACT, rl_minutes=0.05, seeds=Seeds(2, 1, 1), episodes=2, part_robots=2, part_episodes=1,
            episode_steps=100,
        ),
        Scale(
            name="laptop", preset=LAPTOP, training_robots=None, test_robots=None, pd_robots=200, transitions=2000,
            pd_counts=(100, 200, 400), experts=10, expert_steps=1_000_000, expert_transitions=16_000, environments=4,
            passes=50, part_passes=50, oracle=COMPACT, rl_minutes=60, seeds=Seeds(2, 1, 1), episodes=4, part_robots=50,
            part_episodes=4,
        ),
        Scale(
            name="paper", preset=PAPER, training_robots=None, test_robots=None, pd_robots=1000, transitions=8000,
            pd_counts=(100, 500, 1000), experts=100, expert_steps=10_000_000, expert_transitions=80_000,
            environments=8, passes=150, part_passes=50, oracle="modumorph", rl_minutes=float("inf"),
            seeds=Seeds(3, 3, 3), episodes=16, part_robots=100, part_episodes=16,
        ),
    )
}  # fmt: skip


def main_comparison() -> Experiment:
    """Students of one teacher, and the hypernetwork without distillation, on training and unseen robots."""
    others = (
        ("oracle", ORACLE), ("ModuMorph compressed", "modumorph_compressed"),
        ("TF compressed", "transformer_compressed"), ("multi-robot MLP", "multi_robot_mlp"), ("HN-RL", RL),
    )  # fmt: skip
    arms = (Arm("teacher", "", TEACHER), Arm("HyperDistill", ""), *(Arm(label, "", name) for label, name in others))
    title = "Students of one teacher, and the hypernetwork trained by PPO alone"
    return Experiment("main", "Fig. 2 and 3", title, arms, "HyperDistill", sets=(TRAIN, TEST), main=True)


def teacher_choice() -> Experiment:
    """One universal teacher against an MLP for each robot, on the same robots with equal amounts of data."""
    arms = []
    for teacher, label in ((UNIVERSAL, "universal teacher"), (EXPERTS, "one MLP per robot")):
        arms += [
            Arm(label, "teacher", TEACHER, teacher, CHOSEN),
            Arm(label, "HyperDistill", HYPERDISTILL, teacher, CHOSEN),
            Arm(label, "oracle", ORACLE, teacher, CHOSEN),
        ]
    title = "Teacher: universal, or one MLP per robot"
    return Experiment("teacher", "Fig. 4", title, tuple(arms), "one MLP per robot", sets=(CHOSEN, TEST_PART))


def robot_number(scale: Scale) -> Experiment:
    """More robots with fewer transitions of each."""
    arms = tuple(
        Arm(f"{count} robots", series, network, robot_count=count)
        for count in scale.pd_counts
        for series, network in (("HyperDistill", HYPERDISTILL), ("oracle", ORACLE))
    )
    return Experiment("robots", "Fig. 5", "Number of PD robots at constant total data", arms, arms[0].group)


def dropout() -> Experiment:
    """Where dropout acts."""
    arms = tuple(Arm(place, "", student=(("dropout_placement", place),)) for place in DROPOUT_PLACEMENTS)
    return Experiment("dropout", "Fig. 6", "Place of dropout in HyperDistill", arms, "none")


def context() -> Experiment:
    """What the hypernetwork reads of a body, and how."""
    contexts = {"default": "this project's", "paper53": "paper's (53)", "paper35": "ModuMorph's (35)"}
    arms = [Arm(f"features: {label}", "", context=name) for name, label in contexts.items()]
    arms += [Arm(f"encoder: {name}", "", student=(("encoder", name),)) for name in ("mlp", "gnn")]
    title = "Context features (encoder: transformer) and context encoder (features: this project's)"
    return Experiment("context", "Fig. 7", title, tuple(arms), arms[0].group)


def decoupling() -> Experiment:
    """Small transformers that need to know one robot only, against those that know all.

    If the compressed transformer fails for lack of room for what differs between robots, as the paper argues, then
    the same network suffices for one robot at a time.
    """
    small = "transformer_compressed"
    arms = (
        Arm("teacher", "", TEACHER, robots=CHOSEN),
        Arm("TF compressed, all PD robots", "", small),
        Arm("TF compressed, these robots", "", small, robots=CHOSEN),
        Arm("TF compressed, one per robot", "", small, robots=CHOSEN, alone=True),
    )
    return Experiment("decoupling", "section 5", "Knowledge decoupling", arms, "TF compressed, these robots", (CHOSEN,))


def experiments(scale: Scale) -> dict[str, Experiment]:
    """All experiments by name."""
    made = (main_comparison(), teacher_choice(), robot_number(scale), dropout(), context(), decoupling())
    return {experiment.name: experiment for experiment in made}
