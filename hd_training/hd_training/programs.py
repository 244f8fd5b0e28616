"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from hd_controller.programs import command, run


def teacher_node() -> int:
    """`ros2 run hd_training teacher_node`."""
    return run("hd_training.teacher_node")


def archive_teacher() -> int:
    """`ros2 run hd_training archive_teacher`."""
    return command("hd_training.archive_teacher")


def bench_distill() -> int:
    """`ros2 run hd_training bench_distill`."""
    return command("hd_training.bench_distill")


def bench_engine() -> int:
    """`ros2 run hd_training bench_engine`."""
    return command("hd_training.bench_engine")


def check_ppo() -> int:
    """`ros2 run hd_training check_ppo`."""
    return command("hd_training.check_ppo")


def clone_experts() -> int:
    """`ros2 run hd_training clone_experts`."""
    return command("hd_training.clone_experts")


def collect() -> int:
    """`ros2 run hd_training collect`."""
    return command("hd_training.collect")


def count_cost() -> int:
    """`ros2 run hd_training count_cost`."""
    return command("hd_training.count_cost", physics=False)


def distill() -> int:
    """`ros2 run hd_training distill`."""
    return command("hd_training.distill")


def evaluate() -> int:
    """`ros2 run hd_training evaluate`."""
    return command("hd_training.evaluate")


def export_bundle() -> int:
    """`ros2 run hd_training export_bundle`."""
    return command("hd_training.export_bundle")


def make_robots() -> int:
    """`ros2 run hd_training make_robots`."""
    return command("hd_training.make_robots")


def mutate_robots() -> int:
    """`ros2 run hd_training mutate_robots`."""
    return command("hd_training.mutate_robots")


def plot_training() -> int:
    """`ros2 run hd_training plot_training`."""
    return command("hd_training.plot_training")


def profile_learner() -> int:
    """`ros2 run hd_training profile_learner`."""
    return command("hd_training.profile_learner")


def reproduce() -> int:
    """`ros2 run hd_training reproduce`."""
    return command("hd_training.reproduce")


def train() -> int:
    """`ros2 run hd_training train`."""
    return command("hd_training.train")


def train_experts() -> int:
    """`ros2 run hd_training train_experts`."""
    return command("hd_training.train_experts")


def train_teacher() -> int:
    """`ros2 run hd_training train_teacher`."""
    return command("hd_training.train_teacher")
