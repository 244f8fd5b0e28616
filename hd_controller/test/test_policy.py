"""The network against the formula of the paper, limb by limb, and the control step against its parts."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from bodies import own_robots, random_body
from hypernetworks import linear_generator

from hd_controller.control_loop import ControlLoop
from hd_controller.errors import BundleError
from hd_controller.generator import policy_for
from hd_controller.kinematics import Kinematics, RobotState
from hd_controller.observation import OBSERVATION_SIZE, Origin
from hd_controller.policy import MlpPolicy, check_layers
from hd_controller.robot_file import read_robot


def random_layers(seed: int, limbs: int, width: int, hidden: int) -> list:
    """Layers of an MLP for a number of limbs."""
    random = np.random.default_rng(seed)
    sizes = [limbs * OBSERVATION_SIZE, *[width] * (hidden + 1), 2 * limbs]
    return [
        (
            random.normal(0, rows**-0.5, (rows, columns)).astype(np.float32),
            random.normal(0, 0.1, columns).astype(np.float32),
        )
        for rows, columns in pairwise(sizes)
    ]


def limb_sum(layers: list, observation: np.ndarray, mean: np.ndarray, std: np.ndarray, clip: float) -> list[float]:
    """h = ReLU(sum_i (W_i x_i + b_i)), hidden layers, outputs; with loops, in float64."""
    (first, bias), *middle, (last, last_bias) = layers
    total = bias.astype(float)
    for limb, row in enumerate(observation):
        for feature in range(OBSERVATION_SIZE):
            value = min(max((row[feature] - mean[feature]) / std[feature], -clip), clip)
            total = total + value * first[limb * OBSERVATION_SIZE + feature].astype(float)
    hidden = [max(0.0, float(value)) for value in total]
    for weights, offset in middle:
        hidden = [max(0.0, float(np.dot(hidden, weights[:, k].astype(float)) + offset[k])) for k in range(len(offset))]
    return [float(np.dot(hidden, last[:, k].astype(float)) + last_bias[k]) for k in range(len(last_bias))]


@pytest.mark.parametrize(("limbs", "width", "hidden"), [(1, 8, 0), (2, 16, 1), (9, 64, 1), (12, 256, 1), (33, 32, 3)])
def test_network_is_the_sum_over_limbs(limbs: int, width: int, hidden: int):
    random = np.random.default_rng(limbs)
    mean, std = random.normal(size=OBSERVATION_SIZE), random.uniform(0.2, 2, OBSERVATION_SIZE)
    layers = random_layers(limbs, limbs, width, hidden)
    policy = MlpPolicy(layers, mean, std, 3.0)
    for _ in range(3):
        observation = random.normal(0, 3, (limbs, OBSERVATION_SIZE))
        assert policy.act(observation) == pytest.approx(limb_sum(layers, observation, mean, std, 3.0), abs=2e-5)


def test_network_by_hand():
    # One limb; hidden unit 0 doubles feature 0 after normalisation, unit 1 is its negative, cut off by the ReLU.
    first = np.zeros((OBSERVATION_SIZE, 2), dtype=np.float32)
    first[0] = 2.0, -2.0
    layers = [
        (first, np.array([1.0, 0.0], dtype=np.float32)),
        (np.array([[1.0, 0.5], [7.0, 7.0]], dtype=np.float32), np.array([0.0, -1.0], dtype=np.float32)),
    ]
    mean, std = np.full(OBSERVATION_SIZE, 0.5), np.full(OBSERVATION_SIZE, 0.25)
    policy = MlpPolicy(layers, mean, std, 10.0)
    observation = np.full((1, OBSERVATION_SIZE), 0.5)
    observation[0, 0] = 1.0  # normalised 2, hidden 2 * 2 + 1 = 5
    assert policy.act(observation).tolist() == [5.0, 1.5]
    observation[0, 0] = 1e6  # clipped to 10, hidden 21
    assert policy.act(observation).tolist() == [21.0, 9.5]


def test_a_narrow_feature_far_from_zero_keeps_its_precision():
    # Scaled in float32 before the mean is taken off, 1000 / 0.001 would leave no digit of the deviation.
    random = np.random.default_rng(0)
    mean, std = np.full(OBSERVATION_SIZE, 1000.0), np.full(OBSERVATION_SIZE, 1e-3)
    layers = random_layers(0, 3, 16, 1)
    observation = mean + std * random.normal(size=(3, OBSERVATION_SIZE))
    wanted = limb_sum(layers, observation, mean, std, 10.0)
    assert MlpPolicy(layers, mean, std, 10.0).act(observation) == pytest.approx(wanted, abs=2e-5)


def test_infinite_observations_are_clipped_and_nan_reaches_the_output():
    layers, mean, std = random_layers(1, 2, 16, 1), np.zeros(OBSERVATION_SIZE), np.ones(OBSERVATION_SIZE)
    policy, observation = MlpPolicy(layers, mean, std, 5.0), np.zeros((2, OBSERVATION_SIZE))
    observation[1, 3] = np.inf
    assert policy.act(observation) == pytest.approx(limb_sum(layers, observation, mean, std, 5.0), abs=2e-5)
    observation[1, 3] = np.nan
    assert np.isnan(policy.act(observation)).all(), "the finite check behind the network must see it"
    observation[1, 3] = 0.0
    assert np.isfinite(policy.act(observation)).all(), "nothing is left of it in the next step"


def test_a_std_that_float32_cannot_divide_by_is_refused():
    with pytest.raises(BundleError, match="observation_std is 1e-42"):
        MlpPolicy(random_layers(0, 1, 8, 0), np.zeros(OBSERVATION_SIZE), np.full(OBSERVATION_SIZE, 1e-42), 10.0)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_weights_that_could_overflow_are_refused(layer: int):
    layers = random_layers(0, 2, 16, 1)
    mean, std = np.zeros(OBSERVATION_SIZE), np.ones(OBSERVATION_SIZE)
    weights, bias = layers[layer]
    layers[layer] = weights * np.float32(1e30), bias
    far = np.full((2, OBSERVATION_SIZE), 1e9)
    assert np.isfinite(MlpPolicy(layers, mean, std, 10.0).act(far)).all()
    layers[layer] = weights * np.float32(3e37), bias
    with pytest.raises(BundleError, match=rf"Layer {layer} of the policy can reach"):
        MlpPolicy(layers, mean, std, 10.0)


def test_layers_are_copied():
    layers = random_layers(0, 2, 8, 1)
    policy = MlpPolicy(layers, np.zeros(OBSERVATION_SIZE), np.ones(OBSERVATION_SIZE), 10.0)
    observation = np.ones((2, OBSERVATION_SIZE))
    before = policy.act(observation).copy()
    for weights, bias in layers:
        weights[:], bias[:] = 0, 0
    np.testing.assert_array_equal(policy.act(observation), before)
    np.testing.assert_array_equal(observation, 1)


def _changed(index: int, part: int, array: np.ndarray) -> list:
    layers = [list(layer) for layer in random_layers(0, 2, 8, 1)]
    layers[index][part] = array
    return [tuple(layer) for layer in layers]


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (random_layers(0, 2, 8, 1)[:1], "The policy has 1 layers; expected at least 2."),
        (_changed(0, 0, np.zeros((30, 8))), "Layer 0 takes 30 inputs; expected a multiple of 17 numbers per limb."),
        (_changed(0, 0, np.zeros(34)), "Layer 0 takes 0 inputs"),
        (_changed(1, 0, np.zeros((9, 8))), "Layer 1 has weights (9, 8) and bias (8,); expected (8, n) and (n,)."),
        (_changed(1, 1, np.zeros(7)), "Layer 1 has weights (8, 8) and bias (7,); expected (8, n) and (n,)."),
        (
            _changed(2, 0, np.full((8, 4), np.nan)),
            "Layer 2 has weights that are not finite; generate the policy again.",
        ),
        (_changed(2, 1, np.full(4, np.inf)), "Layer 2 has weights that are not finite; generate the policy again."),
        (
            random_layers(0, 3, 8, 1)[:2] + random_layers(0, 2, 8, 1)[2:],
            "The last layer has 4 outputs; expected 6 for 3",
        ),
    ],
)
def test_wrong_layers_are_refused(layers: list, sentence: str):
    with pytest.raises(BundleError) as refusal:
        check_layers(layers)
    assert sentence in str(refusal.value)


def test_control_step_is_observe_act_clip_scale(tmp_path):
    for body in [random_body(4), *(read_robot(path, notes=[]) for path in own_robots()[:2])]:
        bundle = policy_for(body, linear_generator(tmp_path, [body]), "0" * 64)
        weights, bias = bundle.layers[-1]
        bundle = dataclasses.replace(bundle, layers=[*bundle.layers[:-1], (10 * weights, bias)])
        loop, kinematics = ControlLoop(bundle), Kinematics(body)
        random = np.random.default_rng(0)
        clipped = 0
        for step in range(20):
            state = RobotState(
                step,
                *random.normal(size=(1, 3)),
                random.normal(size=4),
                *random.normal(0, 20, size=(2, 3)),
                *random.normal(0, 3, size=(2, len(body.joint_names))),
            )
            if step % 5 == 0:
                loop.reset(state)
                origin = Origin.from_pose(state.position, state.orientation)
            observation = kinematics.observe(state, origin)
            actions = limb_sum(
                bundle.layers,
                observation,
                bundle.observation_mean.astype(float),
                bundle.observation_std.astype(float),
                bundle.observation_clip,
            )
            wanted = [min(max(actions[place], -1.0), 1.0) for place in body.slots] * body.effort_limits
            np.testing.assert_allclose(loop.step(state) / body.effort_limits, wanted / body.effort_limits, atol=1e-4)
            clipped += int((np.abs(wanted) == body.effort_limits).sum())
        assert clipped, "the states must drive some actions into the bounds"


def test_a_step_allocates_little(tmp_path):
    import tracemalloc

    body = read_robot(own_robots()[0], notes=[])
    loop = ControlLoop(policy_for(body, linear_generator(tmp_path, [body]), "0" * 64))
    joints = np.zeros(len(body.joint_names))
    state = RobotState(0, np.zeros(3), np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3), joints, joints)
    for _ in range(10):
        loop.step(state)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        loop.step(dataclasses.replace(state))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000
