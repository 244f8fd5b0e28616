"""The archived teacher acts as the trained one, from a file a fraction of the size."""

import numpy as np
import torch
from robots_for_tests import small_set

from hd_training.archive_teacher import archive_teacher
from hd_training.checkpoint import save_checkpoint
from hd_training.learner_state import build_learner, learner_state
from hd_training.presets import SMOKE
from hd_training.teacher_policy import TeacherPolicy


def test_archive_keeps_the_actions(tmp_path):
    """Mean actions differ by no more than float16 rounding of the weights."""
    robots = small_set()
    learner = build_learner(robots, SMOKE)
    save_checkpoint(tmp_path / "teacher.pt", learner_state(learner, robots, SMOKE, 0.0))
    learner.engine.close()
    archive_teacher(tmp_path / "teacher.pt", tmp_path / "small.pt")
    assert (tmp_path / "small.pt").stat().st_size < 0.5 * (tmp_path / "teacher.pt").stat().st_size
    observation = np.random.default_rng(0).normal(size=learner.engine.observation.shape).astype(np.float32)
    full, small = (
        TeacherPolicy.load(tmp_path / name, robots).actor()(observation) for name in ("teacher.pt", "small.pt")
    )
    assert np.abs(full).max() > 0
    np.testing.assert_allclose(small, full, atol=5e-3)
    assert all(tensor.dtype == torch.float16 for tensor in torch.load(tmp_path / "small.pt")["teacher"].values())
