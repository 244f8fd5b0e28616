"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from hd_controller.programs import run


def teacher_node() -> int:
    """`ros2 run hd_training teacher_node`."""
    return run("hd_training.teacher_node")
