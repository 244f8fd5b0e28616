"""Counts of the paper's Table 1, and the same counts taken from the real modules."""

import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hd_controller.context import CONTEXT_SIZE
from hd_controller.errors import HdError
from hd_training.cost import FLAT, OBSTACLES, VARIABLE, Environment, generation, methods
from hd_training.cost_measurement import GENERATION, METHODS, measure, tensors_of
from hd_training.cost_table import PUBLISHED, generation_rows, ratios, table
from hd_training.count_cost import main
from hd_training.hypernetwork import Hypernetwork, policy_actions
from hd_training.network_sizes import HYPERDISTILL_PAPER, MLP_PAPER
from hd_training.paper_networks import NetworkInputs, paper_network
from hd_training.presets import StudentConfig

ENVIRONMENTS = {"flat": FLAT, "variable terrain": VARIABLE, "obstacles": OBSTACLES}

# Method, environment, matrix entries, size with counted biases and norms, FLOPs: worked out by hand.
COUNTS = [
    ("HyperDistill", "flat", 123_904, 123_904, 247_808),
    ("HyperDistill", "variable terrain", 300_160, 300_160, 600_320),
    ("HyperDistill", "obstacles", 300_160, 300_160, 600_320),
    ("multi-robot MLP", "flat", 231_424, 231_424, 462_848),
    ("multi-robot MLP", "variable terrain", 407_680, 407_680, 815_360),
    ("multi-robot MLP", "obstacles", 407_680, 407_680, 815_360),
    ("ModuMorph oracle", "flat", 1_721_344, 1_733_504, 39_856_128),
    ("ModuMorph oracle", "variable terrain", 1_961_600, 1_973_760, 40_336_640),
    ("ModuMorph oracle", "obstacles", 2_010_752, 2_022_912, 40_434_944),
    ("ModuMorph compressed", "flat", 148_480, 149_504, 1_775_616),
    ("ModuMorph compressed", "variable terrain", 388_736, 389_760, 2_256_128),
    ("ModuMorph compressed", "obstacles", 437_888, 438_912, 2_354_432),
    ("transformer compressed", "flat", 137_984, 139_392, 3_385_344),
    ("transformer compressed", "variable terrain", 310_016, 312_576, 5_512_448),
    ("transformer compressed", "obstacles", 314_112, 316_672, 5_610_752),
]


@pytest.mark.parametrize(("method", "environment", "weights", "size", "flops"), COUNTS)
def test_exact_counts(method, environment, weights, size, flops):
    cost = methods(ENVIRONMENTS[environment])[method]
    assert (cost.weights, cost.size, cost.flops) == (weights, size, flops)


def test_generation_cost():
    flat, deep = generation(FLAT), generation(VARIABLE)
    assert (flat.size, flat.flops) == (9_566_082, 42_724_352)
    assert (deep.size, deep.flops) == (20_261_250, 63_761_408)
    assert generation(OBSTACLES) == deep
    assert [round(row["flops"], 1) for row in generation_rows()] == [42.7, 63.8]


def test_table_has_thirty_cells_that_agree():
    cells = table()
    assert len(cells) == 30 and {cell.method for cell in cells} == set(PUBLISHED)
    assert len({(cell.method, cell.environment, cell.quantity) for cell in cells}) == 30
    assert all(cell.agrees for cell in cells)
    assert ratios()["flat"][0] >= 13.9 and ratios()["flat"][1] >= 160


def test_terms_evaluate_to_the_value():
    for cell in table():
        expression = cell.terms.replace("·", "*").replace(" biases and norms", "")
        assert eval(expression) == round(cell.ours * 1e6), cell.terms


# ---- the same from the modules: 12 limbs, one robot, one sample ----


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def flops_of(call) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return counter.get_total_flops()


def built(name: str, context_size: int) -> tuple:
    actor = paper_network(name, NetworkInputs(52, context_size, 12)).actor.eval()
    context, valid = torch.randn(1, 12, context_size), torch.ones(1, 12, dtype=torch.bool)
    return actor, actor.generate(context, valid), torch.randn(1, 1, 12, 52), context, valid


def test_modumorph_oracle_module():
    actor, weights, observation, context, valid = built("modumorph", 35)
    cost, network = methods(FLAT)["ModuMorph oracle"], actor.network
    generated = weights.network.embed.numel() + weights.network.decode.numel()
    assert generated + parameters(network.layers) == cost.size

    def attention() -> None:
        limbs = network.attention_encoder(context)
        for layer in network.layers:
            layer.body_attention(limbs, valid)

    encoder = flops_of(lambda: network.attention_encoder(context))
    assert flops_of(lambda: actor(weights, observation)) + flops_of(attention) - encoder == cost.flops
    assert parameters(network) == 2_617_730  # trainable: 2.62 M


def test_modumorph_compressed_module():
    actor, weights, observation, *_ = built("modumorph_compressed", 35)
    cost, layer = methods(FLAT)["ModuMorph compressed"], actor.network.layers[0]
    stored = sum(parameters(part) for part in (layer.query, layer.key, layer.context_norm))
    generated = weights.network.embed.numel() + weights.network.decode.numel()
    assert generated + parameters(layer) - stored == cost.size
    assert flops_of(lambda: actor(weights, observation)) == cost.flops


@pytest.mark.parametrize("name", ["transformer_compressed", "transformer_compressed_terrain"])
def test_compressed_transformer_module(name):
    actor, weights, observation, *_ = built(name, 0)
    environment = FLAT
    if name.endswith("terrain"):  # its layers, with the decoder of flat terrain
        environment = Environment("", compressed_transformer=VARIABLE.compressed_transformer)
    cost, network = methods(environment)["transformer compressed"], actor.network
    assert parameters(network.layers) + network.embed.weight.numel() + network.decode.weight.numel() == cost.size
    assert flops_of(lambda: actor(weights, observation)) == cost.flops


def test_multi_robot_mlp_module():
    actor, weights, observation, *_ = built("multi_robot_mlp", 0)
    cost, network = methods(FLAT)["multi-robot MLP"], actor.network
    assert network.first.numel() + network.hidden[0].weight.numel() + network.last.weight.numel() == cost.size
    assert flops_of(lambda: actor(weights, observation)) == cost.flops


def test_context_apart_from_observation_has_the_same_parameters():
    for name in ("transformer_compressed", "metamorph", "multi_robot_mlp"):
        one, split = (paper_network(name, NetworkInputs(*sizes, 12)) for sizes in ((52, 0), (17, 35)))
        assert parameters(one) == parameters(split)


def test_single_robot_mlp_module():
    actor = paper_network("single_robot_mlp", NetworkInputs(17, 0, 12)).actor
    assert parameters(actor) == methods(FLAT)["HyperDistill"].weights + 256 + 256 + 24


def test_hypernetwork_module():
    size = HYPERDISTILL_PAPER
    config = StudentConfig(
        encoder_width=size.encoder.width, encoder_feedforward=size.encoder.feedforward,
        encoder_heads=size.encoder.heads, policy_width=size.policy_width, hidden_layers=MLP_PAPER.hidden,
    )  # fmt: skip
    network = Hypernetwork(config).eval()
    cost = generation(FLAT, context_features=CONTEXT_SIZE)
    context, valid = torch.randn(1, 12, CONTEXT_SIZE), torch.ones(1, 12, dtype=torch.bool)
    assert parameters(network) == cost.size
    assert flops_of(lambda: network.generate(context, valid)) == cost.flops
    with torch.no_grad():
        weights = network.generate(context, valid)
    matrices = (weights.input_weight, *weights.hidden_weights, weights.output_weight)
    policy = methods(FLAT)["HyperDistill"]
    assert sum(matrix.numel() for matrix in matrices) == policy.size
    assert flops_of(lambda: policy_actions(weights, torch.randn(1, 1, 12, 17))) == policy.flops


def test_command_prints_text_and_json(capsys):
    assert main(["--no-measure"]) == 0
    text = capsys.readouterr().out
    assert "30 of 30 within 0.01" in text and "42.7 M FLOPs (published 43 M)" in text and "160.8 x fewer" in text
    assert main(["--json", "--no-measure"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["cells"]) == 30 and all(cell["rule"] and cell["agrees"] for cell in content["cells"])
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0 and "parameters and FLOPs" in capsys.readouterr().out


def test_measured_methods_and_their_memory():
    few = ("HyperDistill (numpy, on the robot)", "multi-robot MLP", "ModuMorph compressed", GENERATION)
    rows = {row.method: row for row in measure(few, rounds=3)}
    assert list(rows) == list(few) and all(row.median_us > 0 for row in rows.values())
    assert rows["multi-robot MLP"].held_mb == pytest.approx(4 * (231_424 + 256 + 256 + 24 + 256 + 12) / 1e6)
    held = rows["ModuMorph compressed"].held_mb * 1e6 / 4
    biases, attention = 12 * 128 + 12 * 2, 144
    assert held == pytest.approx(149_504 + biases + attention)
    assert rows[GENERATION].held_mb == pytest.approx(4 * 9_566_082 / 1e6)
    assert 0 < rows[few[0]].process_mb < rows["multi-robot MLP"].process_mb - 50, "torch is in the robot's process"
    assert next(iter(tensors_of(("text", torch.ones(2))))).numel() == 2


def test_a_measurement_that_fails_is_one_sentence():
    with pytest.raises(HdError, match="measuring no method failed: KeyError: 'no method'"):
        measure(["no method"], rounds=1)


@pytest.mark.slow
def test_command_measures_every_method(capsys):
    assert main(["--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["measured"]
    assert [row["method"] for row in rows] == list(METHODS)
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(f"  {method} " in text for method in METHODS) and "process MB" in text
