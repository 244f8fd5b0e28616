"""The shipped robots: 100 and 100, disjoint, screened, within the design space, and made again byte by byte."""

import json
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from hd_controller.mujoco_model import CONTROL_PERIOD_S
from hd_training import make_robots
from hd_training.demo_robots import demo_robots
from hd_training.design_space import build, sample_plan
from hd_training.near_duplicates import near_duplicates, skeleton_id
from hd_training.plan_reader import read_plan
from hd_training.robot_set import read_robots
from hd_training.screening import LANDING_S, LEAST_DISTANCE_M, MOVING_S, best_distance, can_move, travelled
from hd_training.shipped_sets import ROBOTS_PER_SET, SEEDS, held_out_set, training_set


@pytest.fixture(scope="module")
def shipped():
    return {"train": read_robots([training_set()]), "test": read_robots([held_out_set()])}


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_sets_are_full_and_disjoint(shipped):
    bodies = {name: {robot.body_id for robot in robots} for name, robots in shipped.items()}
    assert {name: len(ids) for name, ids in bodies.items()} == {"train": ROBOTS_PER_SET, "test": ROBOTS_PER_SET}
    demos = {robot.body_id for robot in demo_robots()}
    assert not bodies["train"] & bodies["test"] and not demos & (bodies["train"] | bodies["test"])


def test_manifests_name_every_robot_and_the_near_duplicates(shipped):
    for folder, robots in ((training_set(), shipped["train"]), (held_out_set(), shipped["test"])):
        told = {entry["name"]: (entry["body_id"], entry["robot_id"]) for entry in manifest(folder)["robots"]}
        assert told == {robot.name: (robot.body_id, robot.robot_id) for robot in robots}
    found = near_duplicates(shipped["test"], shipped["train"])
    assert sorted(found) == sorted(manifest(held_out_set())["near_duplicates_of_train"])


def test_robots_can_be_mutated(shipped):
    for robot in shipped["train"] + shipped["test"]:
        assert build(read_plan(robot)).body_id == robot.body_id


@pytest.mark.parametrize("name", ["train", "test"])
def test_first_robots_are_made_again_byte_by_byte(name, tmp_path):
    folder = {"train": training_set(), "test": held_out_set()}[name]
    if manifest(folder)["mujoco"] != mujoco.__version__:
        pytest.skip(f"sets were made with mujoco {manifest(folder)['mujoco']}, here is {mujoco.__version__}")
    assert make_robots.main([str(tmp_path), "--shipped", "--count", "3"]) == 0
    files = sorted((tmp_path / name).glob("*.urdf"))
    assert len(files) == 3
    for file in files:
        assert file.read_bytes() == (folder / file.name).read_bytes()


def test_screen_keeps_what_moves_and_left_out_the_gaps(shipped):
    drawn = [int(robot.name.rsplit("_", 1)[1]) for robot in shipped["train"]]
    gap = min(set(range(max(drawn))) - set(drawn))
    seed = SEEDS["train"]
    kept, refused = (
        build(sample_plan(np.random.default_rng((seed, draw)), f"train_{seed}_{draw}")) for draw in (min(drawn), gap)
    )
    assert kept.body_id in {robot.body_id for robot in shipped["train"]}
    assert can_move(kept) and best_distance(kept) >= LEAST_DISTANCE_M
    assert not can_move(refused) and best_distance(refused) < LEAST_DISTANCE_M


def test_without_torque_nothing_passes_the_screen(shipped):
    for robot in shipped["test"][:10]:
        still = np.zeros((round((LANDING_S + MOVING_S) / CONTROL_PERIOD_S), 1, len(robot.joint_names)))
        assert travelled(robot, still)[0] < LEAST_DISTANCE_M


def test_skeleton_ignores_masses_and_hinges_only():
    plan = sample_plan(np.random.default_rng(1), "robot")
    first = plan.limbs[0]
    denser = build(replace(plan, limb_density=1500.0 - plan.limb_density))
    longer = replace(first, height_m=0.2 if first.height_m > 0.25 else 0.4)
    longer = build(replace(plan, limbs=(longer, *plan.limbs[1:])))
    assert build(plan).body_id != denser.body_id and skeleton_id(build(plan)) == skeleton_id(denser)
    assert skeleton_id(build(plan)) != skeleton_id(longer)
