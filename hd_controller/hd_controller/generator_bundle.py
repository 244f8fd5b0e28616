"""A trained hypernetwork on disk: a folder with ``hypernetwork.onnx`` and ``bundle.json``.

ONNX input ``context`` float32 (L, C), normalised as the header says; outputs ``input_weight`` (L, 17, H),
``input_bias`` (L, H), ``hidden_weight_k`` (H, H) and ``hidden_bias_k`` (H,) for k = 0.., ``output_weight`` (L, H, 2)
and ``output_bias`` (L, 2). Vectors multiply from the left: y = x @ W + b.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from hd_controller.context import CONTEXT_SET, CONTEXT_SIZE
from hd_controller.errors import BundleError
from hd_controller.joint_slots import SLOTS_PER_LIMB
from hd_controller.observation import OBSERVATION_SET, OBSERVATION_SIZE
from hd_controller.policy import Layer

FORMAT_VERSION = 1
NETWORK_FILE, HEADER_FILE = "hypernetwork.onnx", "bundle.json"
CONTEXT_CLIP = 10.0
MAX_BYTES = {NETWORK_FILE: 200_000_000, HEADER_FILE: 5_000_000}
_VECTORS = {
    "context_mean": CONTEXT_SIZE,
    "context_std": CONTEXT_SIZE,
    "observation_mean": OBSERVATION_SIZE,
    "observation_std": OBSERVATION_SIZE,
}
_RANGES = ("features", "limbs", "joints", "mass")
HEADER_CHECKSUM = "header_sha256"
_FIELDS = {*_VECTORS, "trained_ranges", "observation_clip", "control_period_s", "provenance", "format_version",
           "context_set", "observation_set", "network_sha256", HEADER_CHECKSUM}


@dataclass(frozen=True)
class GeneratorBundle:
    """A checked hypernetwork with its normalisation, trained ranges and provenance."""

    generator_id: str
    """SHA-256 (hex) over network and header."""
    context_mean: np.ndarray
    context_std: np.ndarray
    trained_ranges: dict
    observation_mean: np.ndarray
    observation_std: np.ndarray
    observation_clip: float
    control_period_s: float
    provenance: dict
    session: onnxruntime.InferenceSession

    @staticmethod
    def load(folder: Path | str) -> "GeneratorBundle":
        """Read and check a bundle.

        Raises:
            BundleError: the sentence says which check failed.
        """
        folder = Path(folder)
        header, network = _read(folder)
        try:
            _check_header(header, network, folder)
            bundle = GeneratorBundle(
                generator_id=generator_id(network, header),
                **{name: np.array(header[name], dtype=np.float64) for name in _VECTORS},
                trained_ranges=header["trained_ranges"],
                observation_clip=float(header["observation_clip"]),
                control_period_s=float(header["control_period_s"]),
                provenance=dict(header["provenance"]),
                session=_session(network, folder),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            if isinstance(error, BundleError):
                raise
            raise BundleError(
                f"{folder / HEADER_FILE} lacks or garbles a field ({type(error).__name__}: {error}); export it again."
            ) from error
        bundle.layers(np.zeros((1, CONTEXT_SIZE)))
        return bundle

    def layers(self, context: np.ndarray) -> list[Layer]:
        """Layers of the MLP for one body.

        Args:
            context: (L, C) context features in SI units, not normalised.

        Raises:
            BundleError: the network fails, or gives wrong shapes or numbers that are not finite.
        """
        return _stacked(self.outputs(context), len(context))

    def outputs(self, context: np.ndarray) -> dict[str, np.ndarray]:
        """What the network gives for one body, by name, before it becomes layers; context as for `layers`."""
        normalised = np.clip((context - self.context_mean) / self.context_std, -CONTEXT_CLIP, CONTEXT_CLIP)
        names = [output.name for output in self.session.get_outputs()]
        try:
            values = self.session.run(names, {"context": normalised.astype(np.float32)})
        except Exception as error:  # onnxruntime raises its own unrelated exception types
            raise BundleError(f"The hypernetwork failed on a body of {len(context)} limbs ({error}).") from error
        return dict(zip(names, values, strict=True))


def _stacked(outputs: dict[str, np.ndarray], limbs: int) -> list[Layer]:
    """Per-limb matrices side by side: one matrix for all inputs, one for all outputs."""
    if "input_weight" not in outputs or outputs["input_weight"].ndim != 3:
        raise BundleError("The hypernetwork has no output 'input_weight' of three axes; export it again.")
    width = outputs["input_weight"].shape[2]
    hidden = sorted(name for name in outputs if name.startswith("hidden_weight_"))
    shapes = {"input_weight": (limbs, OBSERVATION_SIZE, width), "input_bias": (limbs, width)}
    for index in range(len(hidden)):
        shapes |= {f"hidden_weight_{index}": (width, width), f"hidden_bias_{index}": (width,)}
    shapes |= {"output_weight": (limbs, width, SLOTS_PER_LIMB), "output_bias": (limbs, SLOTS_PER_LIMB)}
    for name, shape in shapes.items():
        got = outputs[name].shape if name in outputs else None
        if got != shape:
            raise BundleError(f"The hypernetwork's output '{name}' has shape {got}; expected {shape}.")
        if not np.isfinite(outputs[name]).all():
            raise BundleError(f"The hypernetwork's output '{name}' is not finite for this body.")
    first = (outputs["input_weight"].reshape(limbs * OBSERVATION_SIZE, width), outputs["input_bias"].sum(axis=0))
    middle = [(outputs[f"hidden_weight_{k}"], outputs[f"hidden_bias_{k}"]) for k in range(len(hidden))]
    last = (
        outputs["output_weight"].transpose(1, 0, 2).reshape(width, limbs * SLOTS_PER_LIMB),
        outputs["output_bias"].reshape(-1),
    )
    return [(np.ascontiguousarray(weights), np.ascontiguousarray(bias)) for weights, bias in (first, *middle, last)]


def _read(folder: Path) -> tuple[dict, bytes]:
    try:
        for name, most in MAX_BYTES.items():
            if (size := (folder / name).stat().st_size) > most:
                raise BundleError(f"{folder / name} has {size} bytes; at most {most} are read: export it again.")
        header = json.loads((folder / HEADER_FILE).read_text(encoding="utf-8"))
        return header, (folder / NETWORK_FILE).read_bytes()
    except OSError as error:
        raise BundleError(
            f"The generator bundle {folder} cannot be read ({error.strerror}: {error.filename}); "
            f"expected a folder with {HEADER_FILE} and {NETWORK_FILE}."
        ) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{folder / HEADER_FILE} is not JSON ({error}); export the bundle again.") from error


def _check_header(header: dict, network: bytes, folder: Path) -> None:
    if not isinstance(header, dict):
        raise BundleError(f"{folder / HEADER_FILE} is not a JSON object; export the bundle again.")
    expected = {
        "format_version": FORMAT_VERSION,
        "context_set": CONTEXT_SET,
        "observation_set": OBSERVATION_SET,
        "network_sha256": hashlib.sha256(network).hexdigest(),
    }
    for name, wanted in expected.items():
        if header.get(name) != wanted:
            raise BundleError(
                f"The {name} of the generator bundle {folder} is {str(header.get(name))[:70]}; expected {wanted}."
            )
    _check_whole(header, folder)
    for name, size in _VECTORS.items():
        values = np.array(header[name], dtype=np.float64)
        if values.shape != (size,) or not (np.abs(values) <= np.finfo(np.float32).max).all():
            raise BundleError(f"{name} of the generator bundle {folder} is not made of {size} finite numbers.")
        if name.endswith("_std") and not (values > 0).all():
            raise BundleError(f"{name} of the generator bundle {folder} has a number that is not positive.")
    _check_ranges(header["trained_ranges"], folder)
    if not header["observation_clip"] > 0 or not 0 < header["control_period_s"] < 1:
        raise BundleError(f"The generator bundle {folder} has no sensible observation_clip or control_period_s.")


def _check_whole(header: dict, folder: Path) -> None:
    """Refuse a header that is not as it was written; those of bundles from before there was a checksum are taken."""
    unknown = sorted(set(header) - _FIELDS)
    if unknown:
        raise BundleError(f"{folder / HEADER_FILE} has an unknown field '{unknown[0][:70]}'; export the bundle again.")
    wanted = header_sha256(header)
    if header.get(HEADER_CHECKSUM, wanted) != wanted:
        raise BundleError(f"{folder / HEADER_FILE} was damaged or altered: its content does not fit its "
                          f"{HEADER_CHECKSUM}; take an undamaged copy or export the bundle again.")


def _check_ranges(ranges: dict, folder: Path) -> None:
    missing = [name for name in _RANGES if name not in ranges]
    if missing:
        raise BundleError(f"The trained ranges of the generator bundle {folder} lack '{missing[0]}'; export it again.")
    pairs = [*ranges["features"].items(), *((name, ranges[name]) for name in _RANGES[1:])]
    for name, pair in pairs:
        values = np.array(pair, dtype=np.float64)
        numbers = isinstance(pair, (list, tuple)) and all(type(value) in (int, float) for value in pair)
        if not numbers or values.shape != (2,) or not np.isfinite(values).all() or values[0] > values[1]:
            raise BundleError(
                f"The trained range of {name} of the generator bundle {folder} is {str(pair)[:60]}; "
                "expected two numbers, low and high."
            )


def _session(network: bytes, folder: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own unrelated exception types
        raise BundleError(f"{folder / NETWORK_FILE} cannot be loaded by onnxruntime ({error}).") from error
    names = [entry.name for entry in session.get_inputs()]
    if names != ["context"]:
        raise BundleError(f"{folder / NETWORK_FILE} has the inputs {names}; expected ['context'].")
    return session


def _canonical(header: dict) -> bytes:
    """The header's content, without its own checksum, as bytes."""
    return json.dumps({name: value for name, value in header.items() if name != HEADER_CHECKSUM},
                      sort_keys=True).encode()


def header_sha256(header: dict) -> str:
    """SHA-256 (hex) over the header without this field."""
    return hashlib.sha256(_canonical(header)).hexdigest()


def generator_id(network: bytes, header: dict) -> str:
    """SHA-256 (hex) over network and header."""
    return hashlib.sha256(network + _canonical(header)).hexdigest()


def save_generator_bundle(folder: Path | str, network: bytes, header: dict) -> None:
    """Write a bundle; each file whole or not at all, the header last.

    Args:
        folder: made where absent.
        network: ONNX model.
        header: ``context_mean``, ``context_std``, ``trained_ranges``, ``observation_mean``, ``observation_std``,
            ``observation_clip``, ``control_period_s`` and ``provenance``; the rest is added here.

    Raises:
        BundleError: the result would not load.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    full = {
        **header,
        "format_version": FORMAT_VERSION,
        "context_set": CONTEXT_SET,
        "observation_set": OBSERVATION_SET,
        "network_sha256": hashlib.sha256(network).hexdigest(),
    }
    full[HEADER_CHECKSUM] = header_sha256(full)
    try:
        _check_header(full, network, folder)
    except KeyError as error:
        raise BundleError(f"The header for {folder} lacks {error}; give all that is listed here.") from error
    for name, content in ((NETWORK_FILE, network), (HEADER_FILE, (json.dumps(full, indent=1) + "\n").encode())):
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
