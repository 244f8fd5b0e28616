"""Generator bundles: what they generate against plain numpy, and each sentence with which one is refused."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from bodies import random_body
from hypernetworks import LinearHypernetwork, header_for, linear_generator

from hd_controller import generator_bundle
from hd_controller.context import CONTEXT_SIZE, context_features
from hd_controller.errors import BundleError
from hd_controller.generator_bundle import CONTEXT_CLIP, GeneratorBundle, save_generator_bundle
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.policy import MlpPolicy

BODIES = [random_body(seed, limbs=6) for seed in range(3)]
NETWORK = LinearHypernetwork.random(0)


@pytest.mark.parametrize("hidden", [0, 1, 3])
@pytest.mark.parametrize("limbs", [1, 2, 9, 16, 33])
def test_layers_against_numpy(limbs: int, hidden: int, tmp_path: Path):
    network = LinearHypernetwork.random(limbs, hidden=hidden)
    header = header_for(BODIES)
    save_generator_bundle(tmp_path, network.onnx(), header)
    context = context_features(random_body(limbs, limbs=limbs))
    layers = GeneratorBundle.load(tmp_path).layers(context)
    scaled = np.clip((context - header["context_mean"]) / header["context_std"], -CONTEXT_CLIP, CONTEXT_CLIP)
    outputs = network.evaluate(scaled)
    random = np.random.default_rng(0)
    observation = random.normal(size=(limbs, OBSERVATION_SIZE))
    hidden_values = sum(
        observation[limb] @ outputs["input_weight"][limb] + outputs["input_bias"][limb] for limb in range(limbs)
    )
    hidden_values = np.maximum(hidden_values, 0)
    for index in range(hidden):
        weights, bias = outputs[f"hidden_weight_{index}"], outputs[f"hidden_bias_{index}"]
        hidden_values = np.maximum(hidden_values @ weights + bias, 0)
    wanted = [hidden_values @ outputs["output_weight"][limb] + outputs["output_bias"][limb] for limb in range(limbs)]
    policy = MlpPolicy(layers, np.zeros(OBSERVATION_SIZE), np.ones(OBSERVATION_SIZE), 100.0)
    assert len(layers) == hidden + 2
    np.testing.assert_allclose(policy.act(observation), np.concatenate(wanted), rtol=1e-4, atol=1e-4)


def test_far_context_is_clipped(tmp_path: Path):
    generator = linear_generator(tmp_path, BODIES)
    far, farther = np.full((2, CONTEXT_SIZE), 1e6), np.full((2, CONTEXT_SIZE), 1e9)
    for first, second in zip(generator.layers(far), generator.layers(farther), strict=True):
        np.testing.assert_array_equal(first[0], second[0])


def test_content_survives(tmp_path: Path):
    header = header_for(BODIES)
    save_generator_bundle(tmp_path / "a", NETWORK.onnx(), header)
    bundle = GeneratorBundle.load(tmp_path / "a")
    for name in ("context_mean", "context_std", "observation_mean", "observation_std"):
        assert getattr(bundle, name).tolist() == header[name]
    assert bundle.trained_ranges == json.loads(json.dumps(header["trained_ranges"]))
    assert (bundle.observation_clip, bundle.control_period_s) == (5.3, 0.02)
    assert bundle.provenance == header["provenance"]
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == ["bundle.json", "hypernetwork.onnx"]


def test_identity_covers_network_and_header(tmp_path: Path):
    header = header_for(BODIES)
    contents = [
        (NETWORK, header),
        (LinearHypernetwork.random(1), header),
        (NETWORK, {**header, "provenance": {"run": 2}}),
    ]
    identities = set()
    for index, (network, fields) in enumerate(contents):
        for again in range(2):
            save_generator_bundle(tmp_path / f"{index}_{again}", network.onnx(), fields)
            identities.add(GeneratorBundle.load(tmp_path / f"{index}_{again}").generator_id)
    assert len(identities) == 3


def changed(name: str, value: object) -> dict:
    """A good header with one field changed."""
    return {**header_for(BODIES), name: value}


def ranges(name: str, value: object) -> dict:
    """A good header with one trained range changed."""
    header = header_for(BODIES)
    return {**header, "trained_ranges": {**header["trained_ranges"], name: value}}


BAD_HEADERS = {
    "short mean": (changed("context_mean", [0.0] * 28), "context_mean of the generator bundle"),
    "nan mean": (changed("observation_mean", [float("nan")] * 17), "is not made of 17 finite numbers."),
    "text mean": (changed("observation_mean", ["x"] * 17), "lacks or garbles a field (ValueError"),
    "zero std": (changed("context_std", [0.0] * 29), "context_std of the generator bundle"),
    "clip": (changed("observation_clip", 0), "has no sensible observation_clip or control_period_s."),
    "nan clip": (changed("observation_clip", float("nan")), "has no sensible observation_clip or control_period_s."),
    "period": (changed("control_period_s", 2.0), "has no sensible observation_clip or control_period_s."),
    "no ranges": (changed("trained_ranges", {}), "lack 'features'; export it again."),
    "ranges no table": (changed("trained_ranges", 5), "lacks or garbles a field (TypeError"),
    "range of three": (ranges("limbs", [1, 2, 3]), "The trained range of limbs of the generator bundle"),
    "range backwards": (ranges("mass", [5.0, 1.0]), "[5.0, 1.0]; expected two numbers, low and high."),
    "range of digits": (ranges("mass", ["1", 5.0]), "['1', 5.0]; expected two numbers, low and high."),
    "range of text": (ranges("mass", "wide"), "lacks or garbles a field (ValueError"),
    "feature range": (ranges("features", {"mass": [0.0, float("nan")]}), "The trained range of mass of the generator"),
    "features no table": (ranges("features", [1, 2]), "lacks or garbles a field (AttributeError"),
    "version": (changed("format_version", 9), "The format_version of the generator bundle"),
    "context set": (changed("context_set", "umc_35"), "is umc_35; expected default_v1."),
    "observation set": (changed("observation_set", "x"), "The observation_set of the generator bundle"),
    "network hash": (changed("network_sha256", "0" * 64), "The network_sha256 of the generator bundle"),
    "provenance": (changed("provenance", 5), "lacks or garbles a field (TypeError"),
}


def write_raw(folder: Path, network: bytes, header: dict | str) -> None:
    """Write a bundle without any check."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hypernetwork.onnx").write_bytes(network)
    if isinstance(header, dict):
        fixed = {
            "format_version": 1,
            "context_set": "default_v1",
            "observation_set": "limb17_v1",
            "network_sha256": hashlib.sha256(network).hexdigest(),
        }
        header = json.dumps({**fixed, **header})
    (folder / "bundle.json").write_text(header)


@pytest.mark.parametrize("case", BAD_HEADERS)
def test_bad_header_is_refused(case: str, tmp_path: Path):
    header, sentence = BAD_HEADERS[case]
    write_raw(tmp_path, NETWORK.onnx(), header)
    with pytest.raises(BundleError) as refusal:
        GeneratorBundle.load(tmp_path)
    assert sentence in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize("name", ["context_mean", "trained_ranges", "control_period_s", "provenance"])
def test_missing_field_is_refused(name: str, tmp_path: Path):
    header = header_for(BODIES)
    del header[name]
    write_raw(tmp_path, NETWORK.onnx(), header)
    with pytest.raises(BundleError, match=r"lacks or garbles a field \(KeyError"):
        GeneratorBundle.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "is not JSON"), ("[1]", "is not a JSON object"), ("[" * 99999, "is not JSON")]
)
def test_header_that_is_no_object_is_refused(text: str, sentence: str, tmp_path: Path):
    write_raw(tmp_path, NETWORK.onnx(), text)
    with pytest.raises(BundleError, match=sentence):
        GeneratorBundle.load(tmp_path)


def test_absent_files_are_refused(tmp_path: Path):
    with pytest.raises(BundleError, match=r"cannot be read \(No such file or directory: .*bundle.json"):
        GeneratorBundle.load(tmp_path / "nowhere")
    write_raw(tmp_path, NETWORK.onnx(), header_for(BODIES))
    (tmp_path / "hypernetwork.onnx").unlink()
    with pytest.raises(BundleError, match=r"expected a folder with bundle.json and hypernetwork.onnx"):
        GeneratorBundle.load(tmp_path)


@pytest.mark.parametrize("name", ["bundle.json", "hypernetwork.onnx"])
def test_a_large_file_is_not_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_raw(tmp_path, NETWORK.onnx(), header_for(BODIES))
    size = (tmp_path / name).stat().st_size
    monkeypatch.setitem(generator_bundle.MAX_BYTES, name, size)
    GeneratorBundle.load(tmp_path)
    monkeypatch.setitem(generator_bundle.MAX_BYTES, name, size - 1)
    for method in ("read_text", "read_bytes"):
        monkeypatch.setattr(Path, method, lambda *_a, **_k: pytest.fail("a file was read"))
    with pytest.raises(BundleError, match=rf"{name} has {size} bytes; at most {size - 1} are read: export it again"):
        GeneratorBundle.load(tmp_path)


def broken_network(name: str, values: np.ndarray | None) -> bytes:
    """A network in which one output has other values, or is missing."""
    parts = {**NETWORK.per_limb, **NETWORK.shared}
    if values is None:
        parts.pop(name)
    else:
        parts[name] = values.astype(np.float32)
    per_limb = {key: value for key, value in parts.items() if key in NETWORK.per_limb}
    return LinearHypernetwork(per_limb, {key: value for key, value in parts.items() if key in NETWORK.shared}).onnx()


def other_input() -> bytes:
    """A network that reads something else."""
    model = onnx.load_from_string(NETWORK.onnx())
    model.graph.input[0].name = "morphology"
    for node in model.graph.node:
        node.input[:] = ["morphology" if name == "context" else name for name in node.input]
    return model.SerializeToString()


BAD_NETWORKS = {
    "no network": (b"", "cannot be loaded by onnxruntime"),
    "noise": (bytes(range(256)) * 10, "cannot be loaded by onnxruntime"),
    "cut off": (NETWORK.onnx()[:5000], "cannot be loaded by onnxruntime"),
    "other input": (other_input(), "has the inputs ['morphology']; expected ['context']."),
    "no input weight": (broken_network("input_weight", None), "has no output 'input_weight' of three axes"),
    "no output bias": (broken_network("output_bias", None), "'output_bias' has shape None; expected (1, 2)."),
    "no hidden bias": (broken_network("hidden_bias_0", None), "'hidden_bias_0' has shape None; expected (24,)."),
    "input size": (
        broken_network("input_weight", np.zeros((CONTEXT_SIZE, 18, 24))),
        "'input_weight' has shape (1, 18, 24); expected (1, 17, 24).",
    ),
    "output size": (
        broken_network("output_weight", np.zeros((CONTEXT_SIZE, 24, 3))),
        "'output_weight' has shape (1, 24, 3); expected (1, 24, 2).",
    ),
    "context size": (
        broken_network("input_bias", np.zeros((CONTEXT_SIZE + 1, 24))),
        "",
    ),
    "nan": (broken_network("hidden_bias_0", np.full(24, np.nan)), "'hidden_bias_0' is not finite for this body."),
}


@pytest.mark.parametrize("case", BAD_NETWORKS)
def test_bad_network_is_refused(case: str, tmp_path: Path):
    network, sentence = BAD_NETWORKS[case]
    write_raw(tmp_path, network, header_for(BODIES))
    with pytest.raises(BundleError) as refusal:
        GeneratorBundle.load(tmp_path)
    assert sentence in str(refusal.value)


def test_every_damaged_character_of_the_header_is_found(tmp_path: Path):
    """Numbers with another digit are as finite as before; a policy made with them is wrong."""
    save_generator_bundle(tmp_path, NETWORK.onnx(), header_for(BODIES))
    file, random = tmp_path / "bundle.json", np.random.default_rng(0)
    good, identity = file.read_bytes(), GeneratorBundle.load(tmp_path).generator_id
    refused = 0
    for place in random.integers(0, len(good), 120).tolist():
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(random.integers(0, 7))
        file.write_bytes(damaged)
        try:
            assert GeneratorBundle.load(tmp_path).generator_id == identity  # white space, or a digit beyond float64
        except BundleError:
            refused += 1
    assert refused > 60


def test_a_header_from_before_there_was_a_checksum_is_read_and_keeps_its_identity(tmp_path: Path):
    save_generator_bundle(tmp_path, NETWORK.onnx(), header_for(BODIES))
    identity, file = GeneratorBundle.load(tmp_path).generator_id, tmp_path / "bundle.json"
    header = json.loads(file.read_text())
    del header["header_sha256"]
    file.write_text(json.dumps(header))
    assert GeneratorBundle.load(tmp_path).generator_id == identity
    file.write_text(json.dumps({**header, "header_sha255": "0"}))
    with pytest.raises(BundleError, match="unknown field 'header_sha255'"):
        GeneratorBundle.load(tmp_path)


def test_save_refuses_what_would_not_load(tmp_path: Path):
    header = header_for(BODIES)
    with pytest.raises(BundleError, match="context_std of the generator bundle"):
        save_generator_bundle(tmp_path / "a", NETWORK.onnx(), {**header, "context_std": [0.0] * 29})
    del header["trained_ranges"]
    with pytest.raises(BundleError, match="lacks 'trained_ranges'"):
        save_generator_bundle(tmp_path / "b", NETWORK.onnx(), header)
    assert not (tmp_path / "a" / "bundle.json").exists()


def test_no_torch_on_the_robot_side():
    import subprocess
    import sys

    modules = "import sys, hd_controller.generator, hd_controller.control_loop"
    code = f"{modules}; print([name for name in ('torch', 'rclpy') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
