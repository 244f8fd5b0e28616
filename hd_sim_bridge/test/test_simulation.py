"""Physics of one robot, and the ROS-free parts around it."""

import mujoco
import numpy as np
import pytest

from hd_controller.kinematics import Kinematics
from hd_controller.morphology import Morphology
from hd_controller.mujoco_model import SPAWN_CLEARANCE
from hd_controller.observation import WORLD
from hd_sim_bridge.command_age import CommandAge
from hd_sim_bridge.lockstep import GIVE_UP_S, RESEND_S, LockstepWait, Verdict
from hd_sim_bridge.pacing import Pacer
from hd_sim_bridge.run_summary import RunRecord
from hd_sim_bridge.simulation import RESET_NOISE, STEP_NS, Simulation
from hd_sim_bridge.timed_run import TimedRun


def test_spawns_above_the_ground_with_small_noise(body: Morphology) -> None:
    simulation = Simulation(body, seed=1)
    assert simulation.torso_position[2] == pytest.approx(body.standing_height + SPAWN_CLEARANCE, abs=RESET_NOISE)
    assert 0 < np.abs(simulation.data.qvel).max() <= RESET_NOISE
    assert simulation.data.ncon == 0


def test_seed_decides_everything(body: Morphology) -> None:
    first, second, other = Simulation(body, 1), Simulation(body, 1), Simulation(body, 2)
    efforts = np.array([20.0, -30.0, 40.0])
    for _ in range(100):
        for simulation in (first, second, other):
            assert simulation.step(efforts)
    assert np.array_equal(first.data.qpos, second.data.qpos)
    assert not np.array_equal(first.data.qpos, other.data.qpos)


def test_step_equals_four_physics_steps_and_leaves_sensors_fresh(body: Morphology) -> None:
    simulation = Simulation(body, 1)
    plain = mujoco.MjData(simulation.model)
    plain.qpos[:], plain.qvel[:] = simulation.data.qpos, simulation.data.qvel
    efforts = np.array([20.0, -30.0, 40.0])
    for _ in range(50):
        simulation.step(efforts)
        plain.ctrl[:] = efforts / 100.0
        mujoco.mj_step(simulation.model, plain, nstep=4)
    np.testing.assert_allclose(simulation.data.qpos, plain.qpos, atol=1e-9)
    fresh = simulation.data.sensordata.copy()
    mujoco.mj_forward(simulation.model, simulation.data)
    np.testing.assert_allclose(fresh, simulation.data.sensordata, atol=1e-12)
    assert simulation.time_ns == 50 * STEP_NS


def test_state_gives_the_same_observation_as_the_simulation_itself(body: Morphology) -> None:
    """Through RobotState and kinematics, limb poses and velocities are those of the simulator's own sensors."""
    simulation = Simulation(body, 1)
    for number in range(60):
        simulation.step(np.array([50.0, -60.0, 70.0]) * np.sin(0.3 * number))
    kinematics = Kinematics(body)
    observation = kinematics.observe(simulation.state(), WORLD)
    limbs = len(body.limbs)
    heights = simulation.data.sensordata[:3 * limbs].reshape(limbs, 3)[:, 2]
    np.testing.assert_allclose(observation[:, 2], heights, atol=1e-12)
    linear = simulation.data.sensordata[7 * limbs:10 * limbs].reshape(limbs, 3)
    np.testing.assert_allclose(observation[:, 7:10], linear, atol=1e-9)


def test_efforts_are_clipped_to_the_limits(body: Morphology) -> None:
    first, second = Simulation(body, 1), Simulation(body, 1)
    first.step(np.array([1e9, -1e9, 0.0]))
    second.step(np.array([100.0, -100.0, 0.0]))
    assert np.array_equal(first.data.qpos, second.data.qpos)


def test_physics_that_is_not_finite_is_noticed_and_reset(body: Morphology) -> None:
    simulation = Simulation(body, 1)
    simulation.data.qvel[:] = np.nan
    assert not simulation.step(np.zeros(3))
    assert simulation.failures == 1 and simulation.time_ns == STEP_NS
    assert np.isfinite(simulation.data.qpos).all() and np.isfinite(simulation.data.qvel).all()
    assert simulation.torso_position[2] == pytest.approx(body.standing_height + SPAWN_CLEARANCE, abs=RESET_NOISE)
    assert simulation.step(np.zeros(3))


def test_time_goes_on_over_reset_and_hold(body: Morphology) -> None:
    simulation = Simulation(body, 1)
    simulation.step(np.zeros(3))
    simulation.reset()
    before = simulation.data.qpos.copy()
    simulation.hold()
    assert simulation.time_ns == 2 * STEP_NS and np.array_equal(simulation.data.qpos, before)


def test_pacer_counts_what_was_skipped() -> None:
    pacer = Pacer(0.02, 0.0)
    for now_s in (0.02, 0.0401, 0.0599, 0.12, 0.14):
        pacer.step(now_s)
    assert pacer.missed == 2
    pacer.restart(10.0)
    pacer.step(10.02)
    assert pacer.missed == 2


def test_lockstep_shows_again_and_gives_up_once_after_a_first_command() -> None:
    wait = LockstepWait()
    assert wait.check(0.0) is Verdict.WAIT
    wait.show(20, 0.0)
    assert wait.check(RESEND_S / 2) is Verdict.WAIT
    assert wait.check(RESEND_S) is Verdict.SHOW_AGAIN
    assert wait.check(100.0) is Verdict.SHOW_AGAIN, "before the first command it waits for ever"
    assert not wait.answered_by(19)
    assert wait.answered_by(20) and not wait.answered_by(20)
    wait.show(40, 100.0)
    verdicts = [wait.check(100.0 + 0.05 * tick) for tick in range(200)]
    assert verdicts.count(Verdict.GIVE_UP) == 1
    assert verdicts.index(Verdict.GIVE_UP) == pytest.approx(GIVE_UP_S / 0.05, abs=1)
    assert verdicts[-1] is Verdict.SHOW_AGAIN or verdicts[-2] is Verdict.SHOW_AGAIN
    wait.new_robot()
    wait.show(60, 200.0)
    assert wait.check(210.0) is Verdict.SHOW_AGAIN


def test_run_record_counts_from_the_first_command() -> None:
    record = RunRecord(duration_s=2.0)
    assert not record.running and not record.over(10**12)
    record.start(5 * STEP_NS, wall_s=1.0, x=0.5, missed=3)
    record.steps = 100
    assert not record.over(104 * STEP_NS) and record.over(105 * STEP_NS)
    text = record.text("sample", 105 * STEP_NS, 3.0, 1.5, 4, 7, 0)
    for part in ("sample", "1.000 m", "0.500 m/s", "100", "real-time factor:     1.00"):
        assert part in text
    assert not RunRecord(duration_s=0.0).over(10**12)


def test_a_respawn_counts_as_no_way() -> None:
    record = RunRecord(duration_s=2.0)
    record.start(0, wall_s=0.0, x=0.5, missed=0)
    record.respawned(from_x=2.5, to_x=0.0)
    assert "distance:             3.250 m" in record.text("sample", STEP_NS, 1.0, 1.25, 0, 0, 0)


def test_timed_run_begins_with_mode_run_and_notices_when_it_is_stuck() -> None:
    run = TimedRun(duration_s=2.0, start_timeout_s=10.0, now_s=0.0)
    run.controller(False, False, "waiting for its policy", 1.0)
    run.command(STEP_NS, 1.0, 0.0, 0)
    assert not run.record.running
    assert run.stuck(9.0) == "" and "waiting for its policy" in run.stuck(10.5)
    run.controller(True, False, "running", 11.0)
    run.command(2 * STEP_NS, 11.0, 0.0, 0)
    run.stepped(11.0)
    assert run.record.running and run.record.steps == 1 and run.stuck(20.0) == ""
    assert not run.controller_is_silent(13.0) and run.controller_is_silent(15.0)
    run.new_robot()
    run.command(3 * STEP_NS, 16.0, 0.0, 0)
    assert not run.record.running
    endless = TimedRun(0.0, 10.0, 0.0)
    endless.command(STEP_NS, 1.0, 0.0, 0)
    assert endless.record.running, "a controller that tells no mode begins with its first command"
    assert endless.stuck(1e6) == "" and not endless.controller_is_silent(1e6)


def test_a_command_is_too_old_on_either_clock() -> None:
    age = CommandAge(0.1, real_time_factor=2.0)
    assert age.too_old(1.0, 10**9)
    age.accepted(5.0, 7_000_000_000)
    assert not age.too_old(5.1, 7_020_000_000)
    assert age.too_old(5.11, 7_020_000_000), "the controller is silent"
    assert not age.too_old(5.0, 7_200_000_000)
    assert age.too_old(5.0, 7_200_000_001), "the connection delays"
    assert age.too_old(float("nan"), 7_000_000_000)


def test_timed_run_ends_with_the_reason_when_the_policy_is_refused_for_good() -> None:
    run = TimedRun(duration_s=2.0, start_timeout_s=60.0, now_s=0.0)
    run.controller(False, True, "outside the trained range", 1.0)
    assert run.stuck(1.5) == "", "another policy may follow"
    run.controller(False, False, "policy ready", 1.6)
    assert run.stuck(3.0) == ""
    run.controller(False, True, "outside the trained range", 4.0)
    run.controller(False, True, "outside the trained range", 4.9)
    assert "outside the trained range" in run.stuck(5.1)
    run.new_robot()
    assert run.stuck(6.0) == ""
    endless = TimedRun(0.0, 60.0, 0.0)
    endless.controller(False, True, "outside the trained range", 1.0)
    assert endless.stuck(10.0) == ""
