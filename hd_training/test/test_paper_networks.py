"""The papers' networks on the project's interface: limits, padding, order, gradients, and independent references."""

import pytest
import torch
from torch import nn

from hd_controller.errors import HdError
from hd_training.limb_mlp import MultiRobotMlp, SingleRobotMlp
from hd_training.limb_transformer import LimbTransformer
from hd_training.modumorph import BodyAttentionLayer, ModuMorph
from hd_training.network_sizes import TransformerSize
from hd_training.paper_networks import NETWORKS, NetworkInputs, paper_network
from hd_training.transformer_layer import TransformerLayer

SMALL = TransformerSize(layers=2, heads=2, feedforward=24, width=16)
FEATURES, CONTEXT, LIMBS, ROBOTS, SAMPLES = 17, 29, 5, 3, 4
WIDTHS = {"observation_size": FEATURES, "context_size": CONTEXT}
INPUTS = NetworkInputs(FEATURES, CONTEXT, max_limbs=7, robots=ROBOTS)
FREE = [name for name in NETWORKS if name.startswith(("modumorph", "transformer"))]
LIMITED = ["metamorph", "multi_robot_mlp", "single_robot_mlp"]
VALID = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] * 4 + [False]])


def batch(limbs: int = LIMBS, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    context = torch.randn(ROBOTS, limbs, CONTEXT, generator=generator, dtype=dtype)
    return context, torch.randn(ROBOTS, SAMPLES, limbs, FEATURES, generator=generator, dtype=dtype)


def shaken(model: nn.Module) -> nn.Module:
    """The model in float64 and evaluation mode with noise on all weights, so that what starts at zero takes part."""
    model.double()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return model.eval()


def run(model: nn.Module, context: torch.Tensor, valid: torch.Tensor, observation: torch.Tensor) -> tuple:
    actor, critic = model.actor, model.critic
    return actor(actor.generate(context, valid), observation), critic(critic.generate(context, valid), observation)


def test_names_cover_limited_and_free_networks():
    assert sorted(FREE + LIMITED) == sorted(NETWORKS)
    with pytest.raises(HdError, match="'lstm' is unknown, expected one of metamorph"):
        paper_network("lstm", INPUTS)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_shapes_and_padding(name):
    model = shaken(paper_network(name, INPUTS))
    context, observation = batch()
    mean, value = run(model, context, VALID, observation)
    assert mean.shape == (ROBOTS, SAMPLES, LIMBS, 2) and value.shape == (ROBOTS, SAMPLES)
    assert mean[1, :, 3:].eq(0).all() and mean[VALID[:, None, :].expand(-1, SAMPLES, -1)].abs().min() > 0
    log_std = model.actor.generate(context, VALID).log_std
    assert log_std.shape == (ROBOTS, LIMBS, 2) and torch.allclose(log_std.exp(), context.new_tensor(0.9))

    padding = ~VALID
    other_context = context + 9.0 * padding[..., None]
    other_observation = observation - 7.0 * padding[:, None, :, None]
    wide = torch.cat([other_context, context.new_full((ROBOTS, 4, CONTEXT), 3.0)], 1)
    wider = torch.cat([other_observation, context.new_full((ROBOTS, SAMPLES, 4, FEATURES), -2.0)], 2)
    mask = torch.cat([VALID, torch.zeros(ROBOTS, 4, dtype=torch.bool)], 1)
    padded_mean, padded_value = run(model, wide, mask, wider)
    torch.testing.assert_close(padded_mean[:, :, :LIMBS], mean)
    torch.testing.assert_close(padded_value, value)
    assert padded_mean[:, :, LIMBS:].eq(0).all()


@pytest.mark.parametrize("name", FREE)
def test_permuting_limbs_permutes_actions(name):
    model = shaken(paper_network(name, INPUTS))
    context, observation = batch()
    order = torch.tensor([3, 0, 4, 1, 2])
    mean, value = run(model, context, VALID, observation)
    permuted_mean, permuted_value = run(model, context[:, order], VALID[:, order], observation[:, :, order])
    torch.testing.assert_close(permuted_mean, mean[:, :, order])
    torch.testing.assert_close(permuted_value, value)


@pytest.mark.parametrize("name", LIMITED)
def test_place_matters_and_limbs_beyond_the_limit_are_refused(name):
    model = shaken(paper_network(name, INPUTS))
    context, observation = batch()
    order = torch.tensor([3, 0, 4, 1, 2])
    valid = torch.ones(ROBOTS, LIMBS, dtype=torch.bool)
    mean, _ = run(model, context, valid, observation)
    permuted, _ = run(model, context[:, order], valid, observation[:, :, order])
    assert (permuted - mean[:, :, order]).abs().max() > 1e-3
    context, observation = batch(8)
    valid = torch.ones(ROBOTS, 8, dtype=torch.bool)
    valid[0, 6:] = False
    with pytest.raises(HdError, match="robot 1 of the batch has 8 limbs, expected at most 7, the number"):
        model.actor.generate(context, valid)
    with pytest.raises(HdError, match="8 limbs, expected at most 7"):
        model.critic.generate(context, valid)


def test_single_robot_mlp_refuses_another_number_of_robots():
    network = SingleRobotMlp(observation_size=FEATURES, outputs=2, limbs=5, robots=2)
    with pytest.raises(HdError, match="batch holds 3 robots, expected 2"):
        network.generate(batch()[0], VALID)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_same_seed_same_weights(name):
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(paper_network(name, INPUTS).state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    assert any(not torch.equal(value, states[2][key]) for key, value in states[0].items())


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_gradients_reach_every_weight(name):
    torch.manual_seed(0)
    model = paper_network(name, INPUTS).eval()
    context, observation = batch(dtype=torch.float32)
    for _ in range(2):  # generating weights start at zero, so what lies before them moves from the second step on
        mean, value = run(model, context, VALID, observation)
        loss = ((mean - 1.0) ** 2).mean() + ((value - 1.0) ** 2).mean()
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 1e-4 * parameter.grad
    for key, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all(), key
        if not key.endswith("key.bias"):  # softmax does not change when all scores of a row move together
            assert parameter.grad.abs().max() > 0, key
    mean, value = run(model, context, VALID, observation)
    assert ((mean - 1.0) ** 2).mean() + ((value - 1.0) ** 2).mean() < loss


def reference_layer(layer: TransformerLayer) -> nn.TransformerEncoderLayer:
    """torch's own layer with the same weights."""
    width, feedforward = layer.expand.in_features, layer.expand.out_features
    twin = nn.TransformerEncoderLayer(width, layer.heads, feedforward, 0.0, batch_first=True, norm_first=True)
    attention = twin.self_attn
    twin.to(layer.out.weight.dtype)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([p.weight for p in (layer.query, layer.key, layer.value)]))
        attention.in_proj_bias.copy_(torch.cat([p.bias for p in (layer.query, layer.key, layer.value)]))
        for ours, theirs in (
            (layer.out, attention.out_proj), (layer.expand, twin.linear1), (layer.contract, twin.linear2),
            (layer.attention_norm, twin.norm1), (layer.feedforward_norm, twin.norm2),
        ):  # fmt: skip
            theirs.weight.copy_(ours.weight)
            theirs.bias.copy_(ours.bias)
    return twin


def test_limb_transformer_equals_torch_layers():
    network = shaken(LimbTransformer(SMALL, outputs=2, max_limbs=6, **WIDTHS))
    context, observation = batch()
    ours = network(network.generate(context, VALID), observation)
    both = torch.cat([observation, context.unsqueeze(1).expand(-1, SAMPLES, -1, -1)], -1)
    tokens = (network.embed(both) * 4.0 + network.position[:LIMBS]).flatten(0, 1)  # 4 = sqrt(16)
    for layer in network.layers:
        tokens = reference_layer(layer)(tokens, src_key_padding_mask=~VALID.repeat_interleave(SAMPLES, 0))
    theirs = network.decode(tokens).unflatten(0, (ROBOTS, SAMPLES))
    keep = VALID[:, None, :].expand(-1, SAMPLES, -1)
    torch.testing.assert_close(ours[keep], theirs[keep])


def test_body_attention_equals_torch_attention():
    layer = shaken(BodyAttentionLayer(SMALL))
    limbs, tokens = batch()[0][..., :16], torch.randn(ROBOTS, LIMBS, SAMPLES, 16).double()
    ours = layer(tokens, layer.body_attention(limbs, VALID))
    twin, keys = reference_layer(layer), layer.context_norm(limbs)
    for sample in range(SAMPLES):
        state = tokens[:, :, sample]
        mixed, _ = twin.self_attn(keys, keys, layer.attention_norm(state), key_padding_mask=~VALID)
        expected = state + mixed
        expected = expected + layer.contract(layer.expand(layer.feedforward_norm(expected)).relu())
        torch.testing.assert_close(ours[:, :, sample], expected)


def test_modumorph_embeds_and_decodes_limb_by_limb():
    network = shaken(ModuMorph(TransformerSize(0, 1, 8, 16), outputs=2, **WIDTHS))
    context, observation = batch()
    ours = network(network.generate(context, VALID), observation)
    code = network.weight_encoder(context[1, 2])
    (embed, bias), (decode, last) = network.embed(code), network.decode(code)
    expected = ((observation[1, 3, 2] @ embed + bias) * 4.0) @ decode + last
    torch.testing.assert_close(ours[1, 3, 2], expected)


def test_multi_robot_mlp_divides_by_limbs():
    network = shaken(MultiRobotMlp(outputs=2, max_limbs=6, **WIDTHS))
    context, observation = batch()
    ours = network(network.generate(context, VALID), observation)
    limbs = [torch.cat([observation[1, 2, i], context[1, i]]) @ network.first[i] for i in range(3)]
    hidden = ((network.first_bias + sum(limbs)) / 3).relu()
    expected = network.last(network.hidden[0](hidden).relu())
    torch.testing.assert_close(ours[1, 2, :3].flatten(), expected[:6])


def test_single_robot_mlps_are_independent():
    network = shaken(SingleRobotMlp(observation_size=FEATURES, outputs=2, limbs=LIMBS, robots=ROBOTS))
    context, observation = batch()
    weights = network.generate(context, VALID)
    before = network(weights, observation)
    seen = observation[1, 2].clone()
    seen[3:] = 0.0
    hidden = seen.flatten()
    for weight, bias in zip(network.weights, network.biases, strict=True):
        hidden = (hidden @ weight[1] + bias[1, 0]).relu()
    expected = hidden @ network.last[1] + network.last_bias[1, 0]
    torch.testing.assert_close(before[1, 2].flatten(), expected)
    with torch.no_grad():
        network.weights[1][1] += 1.0
    after = network(weights, observation)
    assert torch.equal(after[[0, 2]], before[[0, 2]]) and not torch.equal(after[1], before[1])


def test_critic_is_the_mean_over_valid_limbs():
    model = shaken(paper_network("modumorph_compressed", INPUTS))
    context, observation = batch()
    critic = model.critic
    weights = critic.generate(context, VALID)
    limbs = critic.network(weights.network, observation).squeeze(-1)
    torch.testing.assert_close(critic(weights, observation)[1], limbs[1, :, :3].mean(-1))


def test_dropout_acts_in_training_alone():
    network = LimbTransformer(SMALL, outputs=2, max_limbs=6, dropout=0.5, **WIDTHS).double()
    context, observation = batch()
    weights = network.generate(context, VALID)
    assert not torch.equal(network(weights, observation), network(weights, observation))
    network.eval()
    assert torch.equal(network(weights, observation), network(weights, observation))
