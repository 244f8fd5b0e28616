"""Robot sets: broken files named, doubles dropped, context padded and normalised; observation statistics by hand."""

import numpy as np
import pytest
import torch
from robots_for_tests import small_set

from hd_controller.context import context_features
from hd_controller.errors import HdError
from hd_training.moments import RunningMoments
from hd_training.robot_set import (
    context_moments,
    normalised_context,
    padded_context,
    read_robots,
    sample_robots,
    write_robots,
)


def test_written_robots_are_read_back(tmp_path):
    write_robots(small_set(), tmp_path, {"seed": 1})
    assert {robot.robot_id for robot in read_robots([tmp_path])} == {robot.robot_id for robot in small_set()}


def test_broken_file_is_named_or_skipped(tmp_path, capsys):
    write_robots(small_set(), tmp_path, {})
    (tmp_path / "broken.urdf").write_text("<robot name='x'/>")
    with pytest.raises(HdError, match=r"broken\.urdf.*--skip-invalid") as refused:
        read_robots([tmp_path])
    assert str(refused.value).count("broken.urdf") == 1
    assert len(read_robots([tmp_path], skip_invalid=True)) == 3
    output = capsys.readouterr().out
    assert "skipped" in output and output.count("broken.urdf") == 1


def test_one_body_under_two_names_counts_once(tmp_path, capsys):
    write_robots(small_set(), tmp_path / "a", {})
    write_robots(small_set()[:1], tmp_path / "b", {})
    assert len(read_robots([tmp_path / "a", tmp_path / "b"])) == 3
    assert "same body" in capsys.readouterr().out


def test_empty_folder_is_an_error(tmp_path):
    with pytest.raises(HdError, match="no robot file"):
        read_robots([tmp_path])


def test_context_is_padded_with_zeros_and_normalised_over_limbs():
    robots = small_set()
    context, valid = padded_context(robots)
    assert valid.sum(1).tolist() == [len(robot.limbs) for robot in robots]
    assert (context[~valid] == 0).all()
    np.testing.assert_array_equal(context[1][valid[1]], context_features(robots[1]))
    normalised = normalised_context(context, valid, *context_moments(robots))
    rows = normalised[valid]
    varying = rows.std(0) > 0
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(rows.std(0)[varying], 1, atol=1e-4)


def test_sampled_robots_are_distinct_and_reproducible():
    robots = sample_robots(3, seed=5)
    assert len({robot.body_id for robot in robots}) == 3
    assert robots == sample_robots(3, seed=5)


def test_running_moments_equal_those_of_all_rows():
    rows = np.random.default_rng(0).normal(2.0, 3.0, (60, 4))
    moments = RunningMoments(4)
    for part in np.split(rows, [10, 25, 59]):
        moments.update(part)
    np.testing.assert_allclose(moments.mean, rows.mean(0), rtol=1e-4)
    np.testing.assert_allclose(moments.std, rows.std(0), rtol=1e-4)
    far = torch.full((1, 4), 1e6)
    assert (moments.normalise(far) == 10.0).all()
    other = RunningMoments(4)
    other.load(moments.state())
    assert torch.equal(other.normalise(far), moments.normalise(far)) and other.count == moments.count
