"""Every knob of the training chain as frozen dataclasses, and the presets `smoke`, `laptop`, `gpu` and `paper`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from hd_training.network_sizes import PAPER_ACTION_STD

COMPACT = "compact"
"""Name of this project's own teacher; other names are those of `paper_networks.py`."""

EXPERT = "expert"
"""Name of the network of a single robot's expert, see `train_experts`."""

HYPERDISTILL = "hyperdistill"
"""Name of the hypernetwork and the policies it writes, as a student or trained by PPO (HN-RL of the paper)."""

DROPOUT_PLACEMENTS = ("embedding", "context", "policy", "none")


@dataclass(frozen=True)
class TeacherConfig:
    """Sizes of the context-conditioned transformer teacher."""

    width: int = 64  # D, width of a limb's token
    heads: int = 4  # attention heads
    layers: int = 2  # transformer layers (ModuMorph: 5)
    feedforward: int = 128  # width of the feed-forward part of a layer
    context_width: int = 128  # width of the context encoder
    critic_width: int = 128  # width of the separate critic
    initial_std: float = 0.5  # standard deviation of the first policy's actions


@dataclass(frozen=True)
class ExpertConfig:
    """Sizes of a single robot's expert."""

    width: int = 128  # hidden width of actor and critic
    hidden: int = 1  # hidden-to-hidden matrices
    initial_std: float = 0.5  # standard deviation of the first policy's actions


@dataclass(frozen=True)
class PpoConfig:
    """Proximal policy optimisation over many robots (Schulman et al., 2017)."""

    minutes: float = 60.0  # wall time of training [min]
    max_steps: int = 1_000_000_000  # stop after this many environment steps, all robots together
    environments: int = 16  # environments per robot
    horizon: int = 64  # control steps per environment and iteration
    minibatch: int = 128  # samples per robot in one minibatch, which holds all robots
    epochs: int = 3  # passes over one iteration's samples
    gamma: float = 0.99  # discount
    gae_lambda: float = 0.95  # generalised advantage estimation
    clip: float = 0.2  # clip of the probability ratio
    learning_rate: float = 1e-3  # Adam; first value where the rate is adapted, largest where it follows the cosine
    rate_schedule: str = "kl"  # "kl": adapted to the KL target; "cosine": to 0 at max_steps, after a linear warm-up
    warmup_iterations: int = 5  # of the cosine schedule, which starts at a tenth of the rate
    smallest_rate: float = 2e-5  # bounds of the adapted rate
    largest_rate: float = 3e-3
    context_rate: float = 0.05  # factor of the rate for parameters that act through context
    value_coefficient: float = 0.5  # weight of the value loss
    gradient_norm: float = 0.5  # clip of the gradient norm
    kl_target: float = 0.02  # mean KL divergence over an iteration's updates that the learning rate aims at
    kl_limit: float = 0.1  # KL divergence of a minibatch at which an iteration's updates end
    value_clip: float | None = None  # clip of the value's change in an iteration [std of returns]; None: no clip
    advantage_per_robot: bool = True  # normalise advantages over each robot's samples; False: over all samples
    value_momentum: float = 0.1  # update rate of each robot's running return statistics
    checkpoint_minutes: float = 3.0  # wall time between checkpoints [min]


@dataclass(frozen=True)
class CloneConfig:
    """Behaviour cloning of single robots' experts by the universal teacher, on the experts' and on its own states."""

    minutes: float = 30.0  # wall time [min]
    first_share: float = 0.2  # share of that time on the experts' states alone
    memory: int = 8192  # states kept per robot, of the experts and of the student each
    expert_noise: float = 1.0  # std of the experts' actions while their states are taken, in units of their own std
    minibatch: int = 32  # states per robot in one minibatch, which holds all robots
    updates: int = 96  # gradient steps of the actor per horizon of the student's actions
    value_epochs: int = 1  # passes of the critic over each horizon's samples
    learning_rate: float = 1e-3  # Adam, falls to a twentieth by a cosine
    context_rate: float = 0.3  # factor of the rate for parameters that act through context
    gradient_norm: float = 1.0  # clip of the gradient norm
    ppo_rate: float = 1e-4  # learning rate with which PPO goes on: the first updates must not undo the clone


@dataclass(frozen=True)
class CollectConfig:
    """Teacher trajectories for distillation."""

    environments: int = 4  # environments per robot
    steps: int = 1000  # control steps per environment
    noise_std: float | None = 0.3  # std of the noise on executed (not stored) actions; None: the teacher's own std


@dataclass(frozen=True)
class StudentConfig:
    """Hypernetwork that reads a body's context and writes the weights of its policy."""

    encoder: str = "transformer"  # context encoder: transformer, mlp or gnn
    encoder_layers: int = 1  # its layers after the linear one
    encoder_width: int = 64  # width of each context encoder (paper: 128)
    encoder_feedforward: int = 128  # inner width of a layer of transformer and MLP (paper: 256)
    encoder_heads: int = 2  # attention heads
    policy_width: int = 128  # H, hidden width of the generated policy (paper: 256)
    hidden_layers: int = 1  # hidden-to-hidden matrices of the generated policy
    hidden_rank: int = 0  # rank of the generated part of hidden matrices; 0: full, as in the paper
    terrain_width: int = 0  # T, terrain features that join after the first layer; 0 on flat terrain
    context_dropout: float = 0.1  # rate of dropout
    dropout_placement: str = "embedding"  # on limb embeddings (paper), context, the policy's hidden layers, or none


@dataclass(frozen=True)
class DistillConfig:
    """Behaviour cloning of the teacher by a student; training ends with the first of minutes, passes and updates."""

    minutes: float = 8.0  # wall time of training, evaluation not counted [min]
    passes: float | None = None  # passes over the data (paper: 150)
    max_updates: int = 1_000_000  # gradient steps
    robots: int = 64  # robots in a batch
    samples: int = 80  # samples per robot in a batch
    learning_rate: float = 1e-3  # Adam
    schedule: str = "cosine"  # to 0 at the end, or "constant" (paper)
    gradient_norm: float = 0.5  # clip of the gradient norm
    action_std: str = "unit"  # std in the KL divergence: "unit" drops the constant factor (paper), or "teacher"
    clip_actions: bool = True  # compare with the teacher's means clipped to [-1, 1], which is what actuators do
    averaging: float = 0.0  # decay of the exponential average of weights that becomes the student; 0: the last weights
    rows: int | None = None  # rows of each robot that are used; None: all
    memory_mb: float = 1000.0  # trajectories held in memory at once
    per_sample: bool = False  # generate weights for every sample, as the released code does; for comparison only
    checkpoint_minutes: float = 2.0  # wall time between checkpoints [min]
    evaluate_minutes: float | None = None  # wall time of training between evaluations [min]; None: none
    evaluate_robots: int = 8  # robots of each set in them
    evaluate_episodes: int = 2  # episodes per robot in them


@dataclass(frozen=True)
class EvaluateConfig:
    """Evaluation episodes."""

    episodes: int = 8  # episodes per robot and policy, on paired seeds
    steps: int = 1000  # control steps per episode


@dataclass(frozen=True)
class Preset:
    """One whole training run."""

    name: str
    seed: int = 0
    workers: int = 2  # simulation and torch threads
    network: str = COMPACT  # teacher's architecture: compact, or a name of paper_networks.py
    action_std: float = PAPER_ACTION_STD  # fixed std of actions of the papers' networks; compact learns its own
    device: str = "cpu"  # where the networks run: cpu or cuda
    bfloat16: bool = False  # matrix products of training in bfloat16 where on a GPU
    compiled: bool = False  # torch.compile of the networks where on a GPU
    sampled_robots: int = 16  # robots of the design space trained beside the given ones
    expert_steps: int = 0  # steps of each robot's expert, which `train` clones its teacher from; 0: no experts
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    expert: ExpertConfig = field(default_factory=ExpertConfig)
    ppo: PpoConfig = field(default_factory=PpoConfig)
    clone: CloneConfig = field(default_factory=CloneConfig)
    collect: CollectConfig = field(default_factory=CollectConfig)
    student: StudentConfig = field(default_factory=StudentConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)

    def to_dict(self) -> dict:
        """Nested plain dictionary, for logs and provenance."""
        return asdict(self)


LAPTOP = Preset(name="laptop", expert_steps=300_000, distill=DistillConfig(evaluate_minutes=4.0))
SMOKE = replace(
    LAPTOP,
    name="smoke",
    sampled_robots=0,
    expert_steps=0,
    teacher=TeacherConfig(layers=1, context_width=64),
    ppo=PpoConfig(minutes=1.5, environments=8, horizon=32, minibatch=64, checkpoint_minutes=0.5),
    collect=CollectConfig(environments=2, steps=250),
    distill=DistillConfig(minutes=0.5, robots=8, samples=128),
    evaluate=EvaluateConfig(episodes=2, steps=250),
)
GPU = replace(
    LAPTOP,
    name="gpu",
    workers=16,
    sampled_robots=92,
    expert_steps=0,
    device="cuda",
    bfloat16=True,
    compiled=True,
    teacher=TeacherConfig(width=128, layers=3, feedforward=512, context_width=128, critic_width=256),
    ppo=PpoConfig(minutes=240.0, environments=32, horizon=64, minibatch=256, epochs=4),
    collect=CollectConfig(environments=8),
    student=StudentConfig(encoder_width=128, encoder_feedforward=256, policy_width=256),
    distill=DistillConfig(minutes=60.0, averaging=0.999, evaluate_minutes=10.0),
)
PAPER = replace(
    GPU,
    name="paper",
    network="modumorph",
    # The paper's iteration holds 32 environments x 2560 steps = 81,920 samples and draws a robot for each episode;
    # here 100 robots x 8 environments x 102 steps = 81,600, in 16 minibatches, with robots balanced by construction.
    # Its KL stop is 5 x 0.01. Departures: observations and time limits as in docs/benchmark.md.
    ppo=PpoConfig(
        minutes=float("inf"), max_steps=100_000_000, environments=8, horizon=102, minibatch=51, epochs=8,
        learning_rate=3e-4, rate_schedule="cosine", warmup_iterations=5, context_rate=1.0, kl_limit=0.05,
        value_clip=0.2, advantage_per_robot=False, checkpoint_minutes=5.0,
    ),
    collect=CollectConfig(environments=8, noise_std=None),
    distill=DistillConfig(
        minutes=float("inf"), passes=150, learning_rate=3e-4, schedule="constant", clip_actions=False,
        memory_mb=16_000, checkpoint_minutes=5.0, evaluate_minutes=30.0,
    ),
)  # fmt: skip
EXPERTS = Preset(
    name="experts",
    network=EXPERT,
    workers=1,
    sampled_robots=0,
    ppo=PpoConfig(
        minutes=float("inf"), max_steps=500_000, environments=32, horizon=64, minibatch=512, epochs=5,
        learning_rate=1e-3, kl_target=0.03, checkpoint_minutes=1.0,
    ),
)  # fmt: skip
"""A single robot's expert; not a preset of the whole chain."""
PRESETS = {preset.name: preset for preset in (SMOKE, LAPTOP, GPU, PAPER)}
