"""Package hd_training."""
import os
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "hd_training"
HERE = Path(__file__).resolve().parent


def files(folder: str) -> list[str]:
    """Paths, relative to this package, of the files in `folder`."""
    return [os.path.relpath(path, HERE) for path in sorted((HERE / folder).iterdir()) if path.is_file()]


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        ("share/ament_index/resource_index/lets_interrupts_in", [f"resource/{PACKAGE}"]),  # see programs.py
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/robots/train", files("robots/train")),
        (f"share/{PACKAGE}/robots/test", files("robots/test")),
    ],
    package_data={PACKAGE: ["*.c"]},
    install_requires=[
        "setuptools", "numpy", "mujoco>=3.3,<4", "torch", "onnx", "onnxscript", "h5py", "tqdm", "matplotlib",
        "gymnasium", "imageio", "imageio-ffmpeg", "tensorboard",
    ],
    extras_require={"test": ["pytest", "hypothesis"]},
    zip_safe=False,
    maintainer="HyperDistill for ROS 2 maintainers",
    maintainer_email="maintainers@hyperdistill.example.org",
    description="Offline training of the policy generator: robots, teacher, distillation, evaluation and export.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "archive_teacher = hd_training.programs:archive_teacher",
            "bench_engine = hd_training.programs:bench_engine",
            "bench_distill = hd_training.programs:bench_distill",
            "check_ppo = hd_training.programs:check_ppo",
            "clone_experts = hd_training.programs:clone_experts",
            "collect = hd_training.programs:collect",
            "count_cost = hd_training.programs:count_cost",
            "distill = hd_training.programs:distill",
            "evaluate = hd_training.programs:evaluate",
            "export_bundle = hd_training.programs:export_bundle",
            "profile_learner = hd_training.programs:profile_learner",
            "make_robots = hd_training.programs:make_robots",
            "mutate_robots = hd_training.programs:mutate_robots",
            "plot_training = hd_training.programs:plot_training",
            "reproduce = hd_training.programs:reproduce",
            "teacher_node = hd_training.programs:teacher_node",
            "train = hd_training.programs:train",
            "train_experts = hd_training.programs:train_experts",
            "train_teacher = hd_training.programs:train_teacher",
        ],
    },
)
