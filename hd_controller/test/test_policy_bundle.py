"""A policy file is kept bit by bit, written whole or not at all, and refused when anything in it is wrong."""

import dataclasses
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bodies import random_body
from hypernetworks import linear_generator

from hd_controller.errors import BundleError, HdError
from hd_controller.generator import generate_policy
from hd_controller.observation import OBSERVATION_SIZE
from hd_controller.policy_bundle import PolicyBundle, from_parts
from hd_controller.urdf_writer import write_urdf

BODY = random_body(11, limbs=5)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> PolicyBundle:
    """A policy with random weights."""
    return generate_policy(write_urdf(BODY), linear_generator(tmp_path_factory.mktemp("generator"), [BODY]))


def test_round_trip_is_bit_exact(bundle: PolicyBundle, tmp_path: Path):
    bundle.save(tmp_path / "policy.npz")
    loaded = PolicyBundle.load(tmp_path / "policy.npz")
    assert loaded.header() == bundle.header()
    assert loaded.checksum == bundle.checksum
    assert loaded.morphology == bundle.morphology == BODY
    for name, array in bundle.arrays().items():
        assert loaded.arrays()[name].dtype == array.dtype
        assert loaded.arrays()[name].tobytes() == array.tobytes()
    random = np.random.default_rng(0)
    first, second = bundle.policy(), loaded.policy()
    for _ in range(20):
        observation = random.normal(size=(5, OBSERVATION_SIZE))
        assert first.act(observation).tobytes() == second.act(observation).tobytes()


def test_a_policy_knows_its_description(bundle: PolicyBundle):
    import hashlib

    assert bundle.description_sha256 == hashlib.sha256(write_urdf(BODY).encode()).hexdigest()
    assert bundle.robot_id == BODY.robot_id
    assert bundle.in_distribution


def test_every_kept_number_fits_a_float32_message(bundle: PolicyBundle):
    assert bundle.observation_clip == float(np.float32(bundle.observation_clip))
    assert bundle.observation_mean.dtype == bundle.observation_std.dtype == np.float32
    header = {**bundle.header(), "checksum": bundle.checksum}
    assert from_parts(json.loads(json.dumps(header)), bundle.arrays()).checksum == bundle.checksum


def _nan(array: np.ndarray) -> np.ndarray:
    changed = array.copy()
    changed.flat[-1] = np.nan
    return changed


WRONG = {
    "nan weights": (
        lambda b: {"layers": [(_nan(b.layers[0][0]), b.layers[0][1]), *b.layers[1:]]},
        "Layer 0 has weights",
    ),
    "nan bias": (lambda b: {"layers": [*b.layers[:-1], (b.layers[-1][0], _nan(b.layers[-1][1]))]}, "not finite"),
    "missing layer": (lambda b: {"layers": b.layers[1:]}, "expected a multiple of 17 numbers per limb."),
    "no layers": (lambda b: {"layers": []}, "The policy has 0 layers; expected at least 2."),
    "other robot": (lambda b: {"robot_id": "0" * 64}, "The policy's robot_id is 000"),
    "other body": (lambda b: {"morphology": random_body(12, limbs=5)}, "The policy's robot_id is"),
    "joint order": (lambda b: {"joint_names": b.joint_names[::-1]}, "The policy's joint_names is ("),
    "observation set": (
        lambda b: {"observation_set": "limb18_v1"},
        "observation_set is limb18_v1; its body asks for limb17",
    ),
    "short mean": (
        lambda b: {"observation_mean": b.observation_mean[1:]},
        "observation_mean shape is (16,); its body asks",
    ),
    "zero std": (lambda b: {"observation_std": 0 * b.observation_std}, "not finite and positive"),
    "nan mean": (lambda b: {"observation_mean": _nan(b.observation_mean)}, "not finite and positive"),
    "nan clip": (lambda b: {"observation_clip": float("nan")}, "not finite and positive"),
    "zero period": (lambda b: {"control_period_s": 0.0}, "not finite and positive"),
    "nan period": (lambda b: {"control_period_s": float("nan")}, "not finite and positive"),
    "stronger motors": (
        lambda b: {"effort_limits": 2 * b.effort_limits},
        "effort limits differ from those of its body",
    ),
    "nan effort": (lambda b: {"effort_limits": _nan(b.effort_limits)}, "not finite and positive"),
    "one effort less": (lambda b: {"effort_limits": b.effort_limits[1:]}, "effort_limits shape is"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_content_is_refused(case: str, bundle: PolicyBundle, tmp_path: Path):
    change, sentence = WRONG[case]
    wrong = dataclasses.replace(bundle, **change(bundle))
    with pytest.raises(BundleError) as refusal:
        wrong.check()
    assert sentence in str(refusal.value)
    wrong.save(tmp_path / "wrong.npz")
    with pytest.raises(BundleError) as refusal:
        PolicyBundle.load(tmp_path / "wrong.npz")
    assert str(tmp_path / "wrong.npz") in str(refusal.value)


def save_parts(path: Path, header: dict, arrays: dict) -> Path:
    """A policy file put together by hand."""
    np.savez(path, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)
    return path


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format_version": 2}, "The policy has format version 2; this software reads version 1."),
        ({"checksum": "0" * 64}, "checksum does not match its content; it was damaged on the way."),
        ({"generator_id": "another"}, "checksum does not match its content"),
        ({"morphology": "{}"}, "The stored body cannot be read"),
        ({"layers": 99}, "is no policy file (KeyError"),
        ({"layers": "many"}, "is no policy file (ValueError"),
        ({"coverage": 5}, "is no policy file (TypeError"),
    ],
)
def test_wrong_header_is_refused(change: dict, sentence: str, bundle: PolicyBundle, tmp_path: Path):
    header = {**bundle.header(), "checksum": bundle.checksum, **change}
    with pytest.raises(BundleError) as refusal:
        PolicyBundle.load(save_parts(tmp_path / "p.npz", header, bundle.arrays()))
    assert sentence in str(refusal.value)


class _Harm:
    def __reduce__(self) -> tuple:
        return (os.mkdir, (str(Path(os.environ["HD_HARM"]) / "harmed"),))


def test_pickle_is_refused(bundle: PolicyBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HD_HARM", str(tmp_path))
    header = {**bundle.header(), "checksum": bundle.checksum}
    arrays = {**bundle.arrays(), "weights_0": np.array([_Harm()], dtype=object)}
    with pytest.raises(BundleError, match="is no policy file"):
        PolicyBundle.load(save_parts(tmp_path / "p.npz", header, arrays))
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(_Harm()))
    with pytest.raises(BundleError, match="is no policy file"):
        PolicyBundle.load(tmp_path / "plain.npz")
    assert not (tmp_path / "harmed").exists()


def test_absent_and_empty_files_are_refused(tmp_path: Path):
    with pytest.raises(BundleError, match="cannot be read"):
        PolicyBundle.load(tmp_path / "absent.npz")
    with pytest.raises(BundleError, match="cannot be read"):
        PolicyBundle.load(tmp_path)
    (tmp_path / "empty.npz").touch()
    with pytest.raises(BundleError, match="is no policy file"):
        PolicyBundle.load(tmp_path / "empty.npz")


def test_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("header.npy", "w", force_zip64=True) as part:
            for _ in range(21):
                part.write(bytes(10_000_000))
    assert (tmp_path / "bomb.npz").stat().st_size < 1_000_000
    with pytest.raises(BundleError, match="its parts have 210000000 bytes"):
        PolicyBundle.load(tmp_path / "bomb.npz")


def test_damage_anywhere_is_refused(bundle: PolicyBundle, tmp_path: Path):
    bundle.save(tmp_path / "good.npz")
    good = (tmp_path / "good.npz").read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "bad.npz"
    accepted = 0
    for trial in range(300):
        bad = bytearray(good)
        if trial % 3 == 0:
            bad = bad[: random.integers(len(bad))]
        else:
            places = random.integers(len(bad) - 1500 * (trial % 2), len(bad), 3) if trial % 2 else [0]
            places = random.integers(0, len(bad), 5) if trial % 3 == 1 else places
            for place in places:
                bad[place] ^= 1 << random.integers(8)
        path.write_bytes(bytes(bad))
        try:
            accepted += PolicyBundle.load(path).checksum == bundle.checksum  # a byte that nobody reads
        except HdError as error:
            assert str(path) in str(error)
    assert accepted < 100


def test_save_is_whole_or_not_at_all(bundle: PolicyBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "policy.npz"
    bundle.save(path)
    before = path.read_bytes()

    def full_disk(file: object, **_arrays: np.ndarray) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(BundleError, match=r"cannot be written to .*policy.npz \(No space left on device\)"):
        bundle.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["policy.npz"]


def test_same_content_gives_the_same_checksum(bundle: PolicyBundle):
    assert dataclasses.replace(bundle).checksum == bundle.checksum
    layers = [(weights.copy(), bias.copy()) for weights, bias in bundle.layers]
    layers[1][0][0, 0] = np.nextafter(layers[1][0][0, 0], np.float32(9))
    assert dataclasses.replace(bundle, layers=layers).checksum != bundle.checksum
