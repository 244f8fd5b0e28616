"""The queue of `reproduce`: what is compared, shared steps, order, digests, sizes, sets of robots."""

from dataclasses import replace

import pytest
from robots_for_tests import six_legs, small_set

from hd_controller.errors import HdError
from hd_training.presets import DROPOUT_PLACEMENTS
from hd_training.reproduction_experiments import SCALES, Arm, experiments
from hd_training.reproduction_plan import Plan, Planner, Sources
from hd_training.reproduction_robots import GivenRobots, pd_robots, read_set, write_sets

SOURCES = Sources("r", training_robots=93, test_robots=100)
LAPTOP = SCALES["laptop"]


def planned(*names: str, sources: Sources = SOURCES, scale=LAPTOP, seeds: int | None = None) -> Plan:
    known = experiments(scale)
    return Planner(scale, sources, seeds).plan([known[name] for name in names or known])


def by_name(plan: Plan) -> dict:
    return {step.name: step for step in plan.steps}


@pytest.mark.parametrize("scale", SCALES.values(), ids=list(SCALES))
def test_every_step_comes_once_and_after_what_it_needs(scale):
    plan = planned(scale=scale)
    seen = set()
    for step in plan.steps:
        assert all(needed.name in seen for needed in step.needs), step.name
        assert step.name not in seen
        seen.add(step.name)
    digests = {}
    for units in plan.units.values():
        for unit in units:
            for step in (unit.step, *unit.step.needs):
                assert digests.setdefault(step.name, step.digest) == step.digest, step.name


def test_laptop_fits_into_half_a_day_and_shares_students_between_experiments():
    plan = planned()
    assert sum(step.minutes for step in plan.steps) < 12 * 60
    alone = sum(len(planned(name).steps) for name in experiments(LAPTOP))
    assert len(plan.steps) < alone - 20
    students = [step.name for step in plan.steps if step.kind == "student"]
    assert students.count("students/hyperdistill/universal_pd_200/seed0") == 1
    assert "students/hyperdistill/universal_pd_200/seed1" in students


def test_number_of_robots_keeps_the_total_of_data():
    data = [step for step in planned("robots").steps if step.kind == "data"]
    assert sorted(step.settings["count"] for step in data) == [100, 200, 400]
    assert {step.settings["count"] * step.settings["rows"] for step in data} == {400_000}
    assert {step.preset.collect.steps * step.preset.collect.environments for step in data} == {4000, 2000, 1000}


def test_every_student_makes_the_same_number_of_passes_and_like_numbers_of_updates():
    plan = planned()
    for step in (step for step in plan.steps if step.kind == "student"):
        config, count = step.preset.distill, step.needs[0].settings["count"]
        robots = 1 if step.settings["robot"] is not None else count
        batches = -(-robots // config.robots) * (step.settings["rows"] // config.samples)
        assert config.passes == 50 and config.minutes == float("inf")
        assert batches * 50 == pytest.approx(400_000 / 5120 * 50, rel=0.7), step.name


def test_given_teachers_replace_training_and_change_every_digest_after_them():
    given = replace(SOURCES, teacher=("/a/teacher.pt", "one"), experts=("/a/experts", "two"))
    steps = by_name(planned("teacher", sources=given))
    assert not {"teacher", "experts"} & {step.kind for step in steps.values()}
    moved = by_name(planned("teacher", sources=replace(given, teacher=("/b/teacher.pt", "one"))))
    other = by_name(planned("teacher", sources=replace(given, teacher=("/a/teacher.pt", "other"))))
    for name, step in steps.items():
        assert moved[name].digest == step.digest
        assert (other[name].digest == step.digest) == ("universal" not in name), name


def test_workers_and_device_are_no_part_of_a_digest_but_seeds_and_sizes_are():
    steps = by_name(planned("main"))
    step = steps["students/hyperdistill/universal_pd_200/seed0"]
    assert replace(step, preset=replace(step.preset, workers=9, device="cuda")).digest == step.digest
    assert replace(step, preset=replace(step.preset, seed=5)).digest != step.digest
    narrow = replace(step.preset, student=replace(step.preset.student, policy_width=3))
    assert replace(step, preset=narrow).digest != step.digest


def test_ablations_of_the_papers_scale_are_shorter():
    passes = {step.preset.distill.passes for step in planned("dropout", scale=SCALES["paper"]).steps if step.preset
              and step.kind == "student"}  # fmt: skip
    assert passes == {50}
    shared = {step.name for step in planned("main", scale=SCALES["paper"]).steps if step.kind == "student"}
    assert shared.isdisjoint(step.name for step in planned("dropout", scale=SCALES["paper"]).steps)


def test_a_part_holds_what_its_experiment_needs():
    plan = planned()
    for name in plan.units:
        assert [step.name for step in plan.part(name).steps] == [step.name for step in planned(name).steps]


def test_seeds_by_scale_and_by_option():
    def seeds(plan: Plan, network: str) -> set[int]:
        return {unit.seed for unit in plan.units["main"] if unit.arm.network == network}

    plan = planned("main")
    assert (seeds(plan, "hyperdistill"), seeds(plan, "rl"), seeds(plan, "teacher")) == ({0, 1}, {0}, {0})
    plan = planned("main", seeds=3)
    assert (seeds(plan, "hyperdistill"), seeds(plan, "rl"), seeds(plan, "teacher")) == ({0, 1, 2}, {0, 1, 2}, {0})


def test_experiments_compare_what_the_paper_compares():
    known = experiments(LAPTOP)
    assert list(known) == ["main", "teacher", "robots", "dropout", "context", "decoupling"]
    networks = {arm.network for arm in known["main"].arms}
    assert networks == {
        "teacher", "hyperdistill", "oracle", "modumorph_compressed", "transformer_compressed", "multi_robot_mlp", "rl",
    }  # fmt: skip
    assert {arm.group for arm in known["dropout"].arms} == set(DROPOUT_PLACEMENTS)
    assert {(arm.network, arm.teacher) for arm in known["teacher"].arms} == {
        (network, teacher) for network in ("teacher", "hyperdistill", "oracle") for teacher in ("universal", "experts")
    }
    assert len({arm.group for arm in known["context"].arms}) == len(known["context"].arms) == 5


def test_experts_and_students_of_one_robot_act_on_their_robots_alone():
    planner = Planner(LAPTOP, SOURCES)
    assert planner.can_act(Arm("", network="teacher", teacher="experts"), "chosen")
    assert not planner.can_act(Arm("", network="teacher", teacher="experts"), "test_part")
    assert not planner.can_act(Arm("", alone=True), "train")
    assert planner.can_act(Arm("", teacher="experts"), "test_part")
    alone = [step for step in planned("decoupling").steps if step.settings.get("robot") is not None]
    assert [step.settings["robot"] for step in alone] == list(range(10))


def test_smaller_pd_sets_are_parts_of_larger_ones():
    parents = small_set()
    large = pd_robots(parents, 8, 0, set())
    assert len({robot.body_id for robot in large}) == 8
    assert [robot.body_id for robot in large[:3]] == [robot.body_id for robot in parents]
    for total in (2, 3, 5):
        assert [robot.body_id for robot in pd_robots(parents, total, 0, set())] == [
            robot.body_id for robot in large[:total]
        ]
    without = pd_robots(parents, 5, 0, {large[3].body_id})
    assert large[3].body_id not in {robot.body_id for robot in without}


def test_sets_are_written_and_read_again(tmp_path):
    given = GivenRobots.of(small_set(), [six_legs()])
    counts = {"train": 3, "test": 1, "train_part": 2, "test_part": 1, "chosen": 1, "pd": 5}
    write_sets(given, {"counts": counts, "seed": 0}, tmp_path, {given.training[1].body_id})
    for name, count in counts.items():
        assert len(read_set(tmp_path, name)) == count
    assert read_set(tmp_path, "chosen")[0].body_id == given.training[1].body_id
    assert [robot.body_id for robot in read_set(tmp_path, "pd", 3)] == [robot.body_id for robot in given.training]
    with pytest.raises(HdError, match="those of 0 training robots, expected 1"):
        write_sets(given, {"counts": counts, "seed": 0}, tmp_path, set())


def test_robots_that_do_not_fit_are_refused_or_left_out():
    robots = small_set()
    assert [robot.name for robot in GivenRobots.of(robots, [robots[0], six_legs()]).test] == ["hexapod"]
    for known in ([robots, robots[:1]], [robots, [six_legs()], {six_legs().body_id}]):
        with pytest.raises(HdError, match="every test robot was trained with"):
            GivenRobots.of(*known)
    with pytest.raises(HdError, match=f"two different robots are called {robots[0].name}"):
        GivenRobots.of(robots, [replace(six_legs(), name=robots[0].name)])
