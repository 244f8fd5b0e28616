"""Batches out of a dataset: every row once a pass, every robot once an epoch, bounded memory, a function of number."""

from pathlib import Path

import numpy as np
import pytest
import torch
from robots_for_tests import small_set

from hd_controller.errors import HdError
from hd_training.distill import Distillation, input_scale
from hd_training.presets import DistillConfig, Preset
from hd_training.trajectory_index import DatasetIndex, RobotEntry
from hd_training.trajectory_store import BYTES_PER_LIMB, RobotTrajectories, trajectory_path, write_trajectories
from hd_training.trajectory_stream import TrajectoryStream

ROWS = 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A dataset of three robots whose first observation is the number of the row, its second that of the robot."""
    folder = tmp_path_factory.mktemp("data")
    index = DatasetIndex({"kind": "experts", "experts": 3}, {})
    for number, robot in enumerate(small_set()):
        limbs = len(robot.limbs)
        observation = np.zeros((ROWS, limbs, 17), np.float32)
        observation[..., 0], observation[..., 1] = np.arange(ROWS)[:, None], number
        trajectories = RobotTrajectories(observation, observation[..., :2], np.full((limbs, 2), 0.1 + number))
        path = trajectory_path(folder, robot.body_id)
        digest = write_trajectories(path, trajectories, {}, seed=number)
        index.robots[robot.body_id] = RobotEntry(
            robot.name, ROWS, limbs, path.stat().st_size, digest, "t", 0, 0.0, [0.0] * 17, [1.0] * 17, ROWS * limbs
        )
    index.save(folder)
    return folder


def stream(folder: Path, **options) -> TrajectoryStream:
    config = DistillConfig(**{"robots": 2, "samples": 10} | options)
    job = Distillation(small_set(), Preset("tiny"), folder, folder)
    index = DatasetIndex.load(folder)
    scale = input_scale(job, index)
    scale.moments.clip = 1e9
    return TrajectoryStream(folder, index, small_set(), scale, config, seed=3)


@pytest.mark.parametrize("rows_in_memory", [10, 30, 100])
def test_every_row_once_a_pass_within_memory(folder, rows_in_memory):
    row_bytes = sum(len(robot.limbs) for robot in small_set()) * BYTES_PER_LIMB
    budget = rows_in_memory * row_bytes
    batches = stream(folder, memory_mb=budget / 1e6 + 1e-6)
    assert batches.window == rows_in_memory and batches.batches_per_epoch == 2 and batches.epochs_per_pass == 10
    for passed in range(2):
        seen = {number: [] for number in range(3)}
        for update in range(passed * 20, passed * 20 + 20):
            batch = batches.batch(update)
            for robot in range(len(batch.observation)):
                number = int(batch.observation[robot, 0, 0, 1])
                seen[number] += batch.action[robot, :, 0, 0].tolist()
            assert batches.held_bytes <= budget
        assert all(sorted(rows) == list(range(ROWS)) for rows in seen.values())


def test_every_robot_once_an_epoch_with_its_own_body(folder):
    batches = stream(folder)
    for epoch in range(5):
        numbers = []
        for update in (2 * epoch, 2 * epoch + 1):
            batch = batches.batch(update)
            for row, number in enumerate(batch.observation[:, 0, 0, 1].int().tolist()):
                numbers.append(number)
                limbs = len(small_set()[number].limbs)
                assert int(batch.bodies.valid[row].sum()) == limbs
                assert batch.action_std[row, :limbs].unique().item() == pytest.approx(0.1 + number)
                assert batch.observation[row, :, limbs:].abs().sum() == 0
                assert torch.equal(batch.bodies.slots[row], batches.bodies.slots[number])
        assert sorted(numbers) == [0, 1, 2]


def test_batches_depend_on_their_number_alone(folder):
    one, other = stream(folder, memory_mb=0.01), stream(folder)
    for update in (7, 0, 33):
        assert torch.equal(other.batch(update).action, stream(folder).batch(update).action)
        assert torch.equal(one.batch(update).action, stream(folder, memory_mb=0.01).batch(update).action)
    assert not torch.equal(other.batch(0).action, other.batch(20).action)


def test_fewer_rows_and_too_few(folder):
    assert stream(folder, rows=25).epochs_per_pass == 2
    with pytest.raises(HdError, match="has 100 rows of tripod, expected at least 200"):
        stream(folder, rows=200)
    with pytest.raises(HdError, match="expected at least 101"):
        stream(folder, samples=101)
