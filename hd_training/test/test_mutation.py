"""Mutation: every operator keeps bodies valid, no mutant equals its parent, plans are recovered from bodies."""

import numpy as np
import pytest
from robots_for_tests import unimal_files

from hd_controller.errors import MorphologyError
from hd_controller.mjcf_reader import read_mjcf
from hd_training import mutate_robots
from hd_training.demo_robots import DEMO_PLANS, quadruped
from hd_training.design_space import build, is_valid, sample_plan
from hd_training.mutation import OPERATORS, applicable, mutate
from hd_training.plan_reader import read_plan
from hd_training.robot_set import read_robots, write_robots


@pytest.mark.parametrize("name", sorted(OPERATORS))
@pytest.mark.parametrize("seed", range(3))
def test_operator_gives_a_buildable_body(name, seed):
    rng = np.random.default_rng(seed)
    plan = sample_plan(rng, "parent", limb_count=5)
    result = OPERATORS[name](plan, rng)
    assert result is not None
    build(result)


@pytest.mark.parametrize("seed", range(10))
def test_mutant_is_valid_new_and_reproducible(seed):
    plan = quadruped()
    mutant, applied = mutate(plan, np.random.default_rng(seed), operations=2)
    again, _ = mutate(plan, np.random.default_rng(seed), operations=2)
    assert mutant == again and len(applied) == 2 and is_valid(mutant)
    assert build(mutant).body_id != build(plan).body_id


def test_limits_of_growth_and_deletion():
    rng = np.random.default_rng(0)
    full = sample_plan(rng, "full", limb_count=10)
    assert len(full.limbs) == 10 and "grow_limb" not in applicable(full)
    small = sample_plan(rng, "small", limb_count=1)
    assert len(small.limbs) > 2 or "delete_limb" not in applicable(small)


@pytest.mark.parametrize("plan", [plan() for plan in DEMO_PLANS], ids=lambda plan: plan.name)
def test_plan_is_recovered_from_the_body(plan):
    body = build(plan)
    recovered = read_plan(body)
    assert build(recovered).body_id == body.body_id
    assert len({limb.group for limb in recovered.limbs}) == len({limb.group for limb in plan.limbs})


@pytest.mark.parametrize("seed", range(10))
def test_sampled_plan_is_recovered(seed):
    body = build(sample_plan(np.random.default_rng(seed), "robot"))
    assert build(read_plan(body)).body_id == body.body_id


def test_foreign_body_is_refused():
    from dataclasses import replace

    body = build(quadruped())
    heavier = replace(body.limbs[1], mass=body.limbs[1].mass * 1.5)
    with pytest.raises(MorphologyError, match="design space"):
        read_plan(replace(body, limbs=(body.limbs[0], heavier, *body.limbs[2:])))


@pytest.mark.skipif(not unimal_files(), reason="the UNIMAL robots are not there; set HD_UNIMAL")
@pytest.mark.parametrize("path", unimal_files()[::20], ids=lambda path: path.stem[-24:])
def test_plan_of_a_file_with_rounded_coordinates(path):
    body = read_mjcf(path)
    plan = read_plan(body)
    rebuilt = build(plan)
    assert is_valid(plan) and rebuilt.total_mass == pytest.approx(body.total_mass, rel=0.015)
    np.testing.assert_allclose(rebuilt.zero_positions, body.zero_positions, atol=0.03)
    assert [hinge.effort_limit for hinge in rebuilt.hinges] == [hinge.effort_limit for hinge in body.hinges]
    mutant, _ = mutate(plan, np.random.default_rng(0), operations=3)
    assert build(mutant).body_id not in (body.body_id, rebuilt.body_id)


def test_total_counts_parents_and_spreads_mutants(tmp_path, capsys):
    parents = [build(plan()) for plan in DEMO_PLANS[:3]]
    write_robots(parents, tmp_path / "parents", {})
    arguments = [str(tmp_path / "all"), "--robots", str(tmp_path / "parents")]
    assert mutate_robots.main([*arguments, "--total", "2"]) == 1
    assert "--total is 2, the parents alone are 3" in capsys.readouterr().err
    assert mutate_robots.main([*arguments, "--total", "10"]) == 0
    robots = read_robots([tmp_path / "all"])
    assert len(robots) == 10 and {robot.body_id for robot in parents} <= {robot.body_id for robot in robots}
    names = [robot.name for robot in robots]
    assert sorted(sum(name.startswith(f"{p.name}_mutate") for name in names) for p in parents) == [2, 2, 3]


def test_mutants_of_another_seed_can_have_other_names(tmp_path, capsys):
    write_robots([build(DEMO_PLANS[0]())], tmp_path / "parents", {})
    arguments = [str(tmp_path / "unseen"), "--robots", str(tmp_path / "parents"), "--count", "1", "--suffix"]
    with pytest.raises(SystemExit):
        mutate_robots.main([*arguments, "../x"])
    assert "letters, digits" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert mutate_robots.main([str(tmp_path / "file"), *arguments[1:], "unseen"]) == 1
    assert "is a file; robots need a folder" in capsys.readouterr().err
    assert mutate_robots.main([*arguments, "unseen"]) == 0
    assert [file.stem.endswith("_unseen_0") for file in (tmp_path / "unseen").glob("*.urdf")] == [True]
