"""How a student in training does on training and test robots: mean returns over a few robots of each set."""

from __future__ import annotations

import numpy as np

from hd_controller.morphology import Morphology
from hd_training.evaluate import episode_returns
from hd_training.input_scale import InputScale
from hd_training.presets import DistillConfig, EvaluateConfig
from hd_training.students import Student, student_actor


def some(robots: list[Morphology], count: int) -> list[Morphology]:
    """At most `count` robots, evenly spaced, so always the same."""
    places = np.linspace(0, len(robots) - 1, min(count, len(robots))).round().astype(int)
    return [robots[place] for place in places]


def mean_return(
    student: Student, scale: InputScale, robots: list[Morphology], config: DistillConfig, *, steps: int, workers: int
) -> float:
    """Mean return over some of the robots; NaN without robots. The student's mode is left as it was."""
    if not robots:
        return float("nan")
    chosen, training = some(robots, config.evaluate_robots), student.training
    act = student_actor(student.eval(), scale, chosen)
    episodes = EvaluateConfig(episodes=config.evaluate_episodes, steps=steps)
    returns = episode_returns(chosen, act, episodes, workers=workers)
    student.train(training)
    return float(returns.mean())
