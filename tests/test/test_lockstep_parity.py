"""The loop over ROS topics in lockstep equals the same loop in one process, bit by bit."""

import numpy as np
import pytest

from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_sim_bridge.closed_loop import run_closed_loop

STEPS = 500


@pytest.mark.integration
@pytest.mark.parametrize("name", ["strider", "hexapod"])
def test_bitwise_equal(system, robots, tmp_path, name: str) -> None:
    """Configurations and efforts of 500 steps agree exactly."""
    record = tmp_path / "record.npz"
    system.start("controller_node")
    system.start("generator_node", generator=robots.generator)
    bridge = system.start("bridge_node", lockstep=True, duration=STEPS * 0.02, seed=5, record=record)
    system.start("description_node", robot=robots.file(name))
    assert bridge.wait(60) == 0
    bundle = generate_policy(robots.texts[name], GeneratorBundle.load(robots.generator))
    expected = run_closed_loop(bundle, STEPS, seed=5)
    with np.load(record) as got:
        assert str(got["robot_id"]) == bundle.robot_id
        assert len(got["qpos"]) >= STEPS
        assert np.array_equal(got["efforts"][:STEPS], expected.efforts)
        assert np.array_equal(got["qpos"][:STEPS], expected.qpos)
    assert "refused commands:     0" in bridge.output
