"""Distillation: gradients, losses by hand, exact resume, every student, divergence, averaging, what is refused."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from robots_for_tests import six_legs, small_set

from hd_controller.errors import HdError
from hd_controller.urdf_writer import write_urdf
from hd_training import distill as command
from hd_training.checkpoint import load_checkpoint
from hd_training.distill import Distillation, distill, input_scale
from hd_training.distiller import Distiller, StudentDiverged, equal_limb_pieces, per_sample_pieces
from hd_training.export_bundle import export_bundle
from hd_training.imitation_loss import balanced_kl, gaussian_kl
from hd_training.input_scale import InputScale
from hd_training.placement import Placement
from hd_training.presets import DistillConfig, EvaluateConfig, Preset, StudentConfig, TeacherConfig
from hd_training.students import STUDENTS, build_student, describe_student, load_student, student_policy
from hd_training.trajectory_index import DatasetIndex, RobotEntry
from hd_training.trajectory_store import RobotTrajectories, file_sha256, trajectory_path, write_trajectories
from hd_training.trajectory_stream import Batch, TrajectoryStream

INFINITE = float("inf")
TINY = Preset(
    name="tiny",
    workers=1,
    teacher=TeacherConfig(width=16, heads=2, layers=1, feedforward=16, context_width=16, critic_width=16),
    student=StudentConfig(encoder_width=16, encoder_feedforward=16, policy_width=16),
    distill=DistillConfig(minutes=INFINITE, max_updates=6, robots=2, samples=10, checkpoint_minutes=INFINITE),
    evaluate=EvaluateConfig(episodes=1, steps=5),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A dataset of experts on three robots with actions that a student can learn."""
    folder = tmp_path_factory.mktemp("data")
    index = DatasetIndex({"kind": "experts", "experts": 3}, {"environments": 1})
    for number, robot in enumerate(small_set()):
        rng, limbs = np.random.default_rng(number), len(robot.limbs)
        observation = rng.normal(size=(200, limbs, 17)).astype(np.float32)
        slots = np.zeros(limbs * 2)
        slots[robot.slots] = 1
        action = np.tanh(observation[..., :2] - observation[..., 2:4]) * slots.reshape(limbs, 2)
        path = trajectory_path(folder, robot.body_id)
        std = np.full((limbs, 2), 0.5)
        digest = write_trajectories(path, RobotTrajectories(observation, action, std), {}, seed=number)
        index.robots[robot.body_id] = RobotEntry(
            robot.name, 200, limbs, path.stat().st_size, digest, f"t{number}", 0, 0.0, [0.0] * 17, [1.0] * 17, 200
        )
    index.save(folder)
    return folder


def job(data: Path, out: Path, preset: Preset = TINY, **options) -> Distillation:
    return Distillation(small_set(), preset, data, out, **options)


def with_distill(**changes) -> Preset:
    return replace(TINY, distill=replace(TINY.distill, **changes))


def parts(data: Path, preset: Preset, network: str = "hyperdistill") -> tuple[Distiller, TrajectoryStream]:
    """A distiller and its stream, as `distill` makes them."""
    work = job(data, data, preset)
    index = DatasetIndex.load(data)
    scale = input_scale(work, index)
    stream = TrajectoryStream(data, index, work.robots, scale, preset.distill, seed=0)
    torch.manual_seed(0)
    student = build_student(describe_student(network, preset, scale.context_size, 9))
    return Distiller(student, preset.distill, Placement(), seed=0), stream


def doubles(batch: Batch) -> Batch:
    bodies = replace(batch.bodies, context=batch.bodies.context.double(), adjacency=batch.bodies.adjacency.double())
    return Batch(batch.observation.double(), batch.action.double(), batch.action_std.double(), bodies)


def test_divergence_by_hand():
    one, half = torch.tensor(1.0), torch.tensor(0.5)
    assert gaussian_kl(one, half, torch.tensor(0.0), half).item() == pytest.approx(2.0)  # (1 / 0.5)^2 / 2
    expected = math.log(2) + 0.25 / 2 - 0.5  # KL(N(0, 1/2) || N(0, 1)) = ln 2 + 1/8 - 1/2
    assert gaussian_kl(torch.tensor(0.0), one, torch.tensor(0.0), half).item() == pytest.approx(expected)
    normal = torch.distributions.Normal
    reference = torch.distributions.kl_divergence(normal(0.3, 0.7), normal(-0.2, 1.1))
    assert gaussian_kl(*map(torch.tensor, (-0.2, 1.1, 0.3, 0.7))).item() == pytest.approx(reference.item())


def test_loss_counts_existing_joints_and_robots_alike():
    mean, target, std = torch.zeros(2, 3, 2, 2), torch.ones(2, 3, 2, 2), torch.ones(2, 2, 2)
    target[1] = 3.0
    slots = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]])
    mean[:, :, 0] = 99.0  # no joints there
    assert balanced_kl(mean, target, std, slots).item() == pytest.approx((0.5 + 4.5) / 2)


@pytest.mark.parametrize("encoder", ["transformer", "mlp", "gnn"])
def test_generation_per_robot_has_the_gradients_of_generation_per_sample(data, encoder):
    sizes = replace(TINY.student, encoder=encoder, context_dropout=0.0)
    gradients, losses = [], []
    for per_sample in (False, True):
        preset = replace(with_distill(per_sample=per_sample, action_std="teacher"), student=sizes)
        distiller, stream = parts(data, preset)
        distiller.student.double()
        losses.append(distiller.backward(doubles(stream.batch(3))))
        gradients.append({name: p.grad for name, p in distiller.student.named_parameters()})
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-8, atol=1e-12, msg=name)


@pytest.mark.parametrize("network", ["modumorph_compressed", "transformer_compressed", "metamorph"])
def test_robots_of_equal_limb_count_in_turn_have_the_gradients_of_all_at_once(data, network):
    distiller, stream = parts(data, with_distill(robots=3, action_std="teacher"), network)
    distiller.student.double()
    batch = doubles(stream.batch(3))
    pieces = list(equal_limb_pieces(batch))
    assert len(pieces) > 1 and sum(len(piece.action) for piece in pieces) == 3
    assert all(piece.bodies.valid.all() for piece in pieces)
    loss = distiller.backward(batch)
    in_pieces = {name: parameter.grad for name, parameter in distiller.student.named_parameters()}
    distiller.optimizer.zero_grad(set_to_none=True)
    whole = distiller._batch_loss(batch)
    whole.backward()
    assert loss == pytest.approx(whole.item(), rel=1e-12)
    for name, parameter in distiller.student.named_parameters():
        torch.testing.assert_close(in_pieces[name], parameter.grad, rtol=1e-8, atol=1e-12, msg=name)


def test_dropout_mask_is_one_for_all_samples_of_a_robot(data):
    distiller, stream = parts(data, replace(TINY, student=replace(TINY.student, context_dropout=0.5)))
    batch = stream.batch(0)
    same = replace(batch, observation=batch.observation[:, :1].expand(-1, 10, -1, -1))
    mean = distiller.student(distiller.student.generate(same.bodies), same.observation)
    assert (mean - mean[:, :1]).abs().max() < 1e-6
    pieces = list(per_sample_pieces(same, 7))
    assert sum(len(piece.action) for piece in pieces) == 20
    each = torch.cat([distiller.student(distiller.student.generate(p.bodies), p.observation) for p in pieces])
    assert (each[1:10] - each[:1]).abs().max() > 1e-3


def test_resume_gives_bitwise_the_same_next_updates(data, tmp_path):
    preset = with_distill(averaging=0.9, schedule="constant")
    longer = replace(preset, distill=replace(preset.distill, max_updates=9))
    distill(job(data, tmp_path / "whole", longer))
    distill(job(data, tmp_path / "parts", preset))
    distill(job(data, tmp_path / "parts", longer), resume=True)
    whole, resumed = (load_checkpoint(tmp_path / name / "student_training.pt") for name in ("whole", "parts"))
    assert resumed["training"]["progress"][0] == 9
    for part in ("weights", "average"):
        for name, value in whole["training"][part].items():
            assert torch.equal(value, resumed["training"][part][name]), name
    assert whole["training"]["progress"][2] == resumed["training"]["progress"][2]


def test_resume_of_another_run_is_refused(data, tmp_path):
    distill(job(data, tmp_path))
    with pytest.raises(HdError, match=r"description \{'policy_width': 16\}, this run has \{'policy_width': 32\}"):
        distill(job(data, tmp_path, replace(TINY, student=replace(TINY.student, policy_width=32))), resume=True)
    with pytest.raises(HdError, match="body ids"):
        distill(Distillation(small_set()[:2], TINY, data, tmp_path), resume=True)
    with pytest.raises(HdError, match=r"batches \{'samples': 10\}, this run has \{'samples': 20\}"):
        distill(job(data, tmp_path, with_distill(samples=20)), resume=True)


def test_a_student_begins_with_the_weights_of_another(data, tmp_path):
    first = distill(job(data, tmp_path / "first", with_distill(averaging=0.9)))
    still = with_distill(learning_rate=1e-12, averaging=0.9)
    second = distill(job(data, tmp_path / "second", still, init=first))
    (one, content), (other, begun) = load_student(first), load_student(second)
    assert content["origin"] is None
    assert begun["origin"]["student_sha256"] == file_sha256(first)
    assert begun["origin"]["updates"] == content["progress"]["updates"]
    third = distill(job(data, tmp_path / "second", with_distill(averaging=0.9, max_updates=50)), resume=True)
    assert load_student(third)[1]["origin"] == begun["origin"]
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, atol=1e-6, rtol=0.0)
    wide = replace(TINY, student=replace(TINY.student, policy_width=32))
    with pytest.raises(HdError, match=r"description \{'policy_width': 16\}, this run has \{'policy_width': 32\}"):
        distill(job(data, tmp_path / "third", wide, init=first))


@pytest.mark.parametrize("name", STUDENTS)
def test_every_student_trains_and_acts(data, tmp_path, name):
    preset = with_distill(max_updates=2)
    path = distill(job(data, tmp_path, preset, student=name, context="paper53" if name == "compact" else "default"))
    robots = [*small_set(), six_legs()]
    actions = student_policy(path, robots)(np.zeros((4, 2, 9, 17), np.float32))
    assert actions.shape == (4, 2, 9, 2) and np.isfinite(actions).all() and (actions[0, :, 4:] == 0).all()
    if name != "hyperdistill":
        with pytest.raises(HdError, match=f"holds {name}"):
            export_bundle(path, small_set(), tmp_path / "generator")


@pytest.mark.parametrize("context", ["default", "paper35", "paper53"])
@pytest.mark.parametrize("encoder", ["transformer", "mlp", "gnn"])
def test_policies_do_not_depend_on_the_order_of_limbs(data, encoder, context):
    torch.manual_seed(1)
    sizes = replace(TINY.student, encoder=encoder, encoder_layers=2, hidden_layers=2, hidden_rank=3)
    scale = InputScale.of(context, small_set(), DatasetIndex.load(data).moments(small_set()), None)
    preset = replace(TINY, student=sizes)
    student = build_student(describe_student("hyperdistill", preset, scale.context_size, 9)).eval()
    for parameter in student.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    bodies = scale.bodies(small_set()[2:])
    observation, order = torch.randn(1, 5, 9, 17), torch.randperm(9)
    moved = replace(
        bodies, context=bodies.context[:, order], adjacency=bodies.adjacency[:, order][:, :, order]
    )
    with torch.no_grad():
        actions = student(student.generate(bodies), observation)
        others = student(student.generate(moved), observation[:, :, order])
    torch.testing.assert_close(others, actions[:, :, order], atol=2e-5, rtol=1e-4)
    assert actions.std() > 1e-3


def test_terrain_joins_after_the_first_layer(data):
    sizes = replace(TINY.student, terrain_width=6, hidden_layers=2)
    scale = InputScale.of("default", small_set(), DatasetIndex.load(data).moments(small_set()), None)
    student = build_student(describe_student("hyperdistill", replace(TINY, student=sizes), 29, 9)).eval()
    bodies, observation = scale.bodies(small_set()), torch.randn(3, 5, 9, 17)
    weights = student.network.generate(bodies.context, bodies.valid, bodies.adjacency)
    assert weights.hidden_weights[0].shape == (3, 22, 16) and weights.hidden_weights[1].shape == (3, 16, 16)
    terrains = (torch.zeros(3, 5, 6), torch.ones(3, 5, 6))
    flat, rough = (student.network(weights, observation, terrain) for terrain in terrains)
    assert flat.shape == (3, 5, 9, 2) and (flat - rough).abs().max() > 1e-4


def test_loss_falls_and_averaged_weights_are_kept(data, tmp_path):
    preset = with_distill(max_updates=300, robots=3, learning_rate=3e-3, averaging=0.95)
    path = distill(job(data, tmp_path, preset))
    with open(tmp_path / "student.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["update"] for row in rows] == ["100", "200", "300", "300"]
    assert float(rows[-1]["loss"]) < 0.7 * float(rows[0]["loss"])
    training = load_checkpoint(tmp_path / "student_training.pt")["training"]
    student, content = load_student(path)
    for name, value in student.state_dict().items():
        assert torch.equal(value, training["average"][name])
    assert any(not torch.equal(value, training["weights"][name]) for name, value in student.state_dict().items())
    assert content["progress"]["updates"] == 300 and content["dataset_sha256"]


def test_divergence_stops_and_keeps_the_last_good_student(data, tmp_path):
    preset = with_distill(max_updates=2000, robots=3, learning_rate=3e-3, schedule="constant")
    distill(job(data, tmp_path, with_distill(max_updates=200, robots=3, learning_rate=3e-3, schedule="constant")))
    wild = replace(preset, distill=replace(preset.distill, learning_rate=30.0))
    with pytest.raises(HdError, match=r"diverged: .*last good weights, after (200|300) updates"):
        distill(job(data, tmp_path, wild), resume=True)
    _, content = load_student(tmp_path / "student.pt")
    assert content["progress"]["loss"] < 0.5
    assert all(torch.isfinite(value).all() for value in content["student"].values())


def test_gradient_that_is_not_finite_changes_nothing(data):
    distiller, stream = parts(data, TINY)
    before = distiller.state()["weights"]
    batch = stream.batch(0)
    batch.observation[0, 0, 0, 0] = math.nan
    with pytest.raises(StudentDiverged):
        distiller.update(batch, 0.0)
    assert all(torch.equal(value, before[name]) for name, value in distiller.student.state_dict().items())


def test_damaged_and_other_datasets_are_refused_by_name(data, tmp_path):
    other = Distillation([*small_set(), six_legs()], TINY, data, tmp_path)
    with pytest.raises(HdError, match="those of hexapod are missing"):
        distill(other)
    with pytest.raises(HdError, match="no teacher at"):
        distill(job(data, tmp_path, teacher=tmp_path / "none.pt"))
    with pytest.raises(HdError, match="'nothing' is unknown"):
        distill(job(data, tmp_path, student="nothing"))
    with pytest.raises(HdError, match="dropout placement 'there'"):
        distill(job(data, tmp_path, replace(TINY, student=replace(TINY.student, dropout_placement="there"))))


def test_evaluation_while_training(data, tmp_path):
    preset = with_distill(evaluate_minutes=1e-9, evaluate_robots=1, evaluate_episodes=1, max_updates=2)
    distill(job(data, tmp_path, preset, test_robots=(six_legs(),)))
    with open(tmp_path / "student_returns.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["update"] for row in rows] == ["1", "2", "2"]
    assert all(math.isfinite(float(row["train"])) and math.isfinite(float(row["test"])) for row in rows)


def test_command(data, tmp_path, capsys):
    robots = tmp_path / "robots"
    robots.mkdir()
    for robot in small_set():
        (robots / f"{robot.name}.urdf").write_text(write_urdf(robot))
    arguments = ["--robots", str(robots), "--data", str(data), "--out", str(tmp_path / "o"), "--preset", "smoke"]
    small = ["--encoder", "mlp", "--encoder-width", "8", "--policy-width", "24", "--hidden-layers", "0"]
    assert command.main([*arguments, *small, "--max-updates", "2", "--context", "paper35"]) == 0
    student, content = load_student(tmp_path / "o" / "student.pt")
    assert student.network.config.policy_width == 24 and content["context"] == "paper35"
    assert student.network.config.encoder_width == 8
    assert command.main(arguments) == 1
    assert "is there already; continue it with --resume" in capsys.readouterr().err
    assert command.main([*arguments, "--overwrite", "--rows", "10"]) == 1
    assert "rows is 10, a batch takes 128 of each robot" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert command.main([*arguments, "--out", str(tmp_path / "file")]) == 1
    assert "cannot make the folder" in capsys.readouterr().err
    (robots / "six.urdf").write_text(write_urdf(six_legs()))
    assert command.main([*arguments, "--overwrite"]) == 1
    assert "hexapod are missing" in capsys.readouterr().err


@pytest.mark.parametrize("option", [
    "--learning-rate -1", "--context-dropout 2", "--averaging 1", "--hidden-layers -1", "--memory-mb 0", "--rows 0",
    "--action-std foo", "--encoder rnn", "--minutes nan",
])  # fmt: skip
def test_options_without_sense_are_refused_before_work(tmp_path, option, capsys):
    with pytest.raises(SystemExit):
        command.main(["--robots", str(tmp_path), "--out", str(tmp_path / "o"), *option.split()])
    assert f"argument {option.split()[0]}" in capsys.readouterr().err
