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
            "archive_teacher = hd_training.archive_teacher:main",
            "bench_engine = hd_training.bench_engine:main",
            "bench_distill = hd_training.bench_distill:main",
            "check_ppo = hd_training.check_ppo:main",
            "clone_experts = hd_training.clone_experts:main",
            "collect = hd_training.collect:main",
            "count_cost = hd_training.count_cost:main",
            "distill = hd_training.distill:main",
            "evaluate = hd_training.evaluate:main",
            "export_bundle = hd_training.export_bundle:main",
            "profile_learner = hd_training.profile_learner:main",
            "make_robots = hd_training.make_robots:main",
            "mutate_robots = hd_training.mutate_robots:main",
            "plot_training = hd_training.plot_training:main",
            "reproduce = hd_training.reproduce:main",
            "teacher_node = hd_training.programs:teacher_node",
            "train = hd_training.train:main",
            "train_experts = hd_training.train_experts:main",
            "train_teacher = hd_training.train_teacher:main",
        ],
    },
)
