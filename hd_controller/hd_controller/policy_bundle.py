"""A policy for one robot with all that a controller needs to run it: no second file, no XML.

Stored as ``.npz`` without pickle: one JSON header and the arrays, all lossless.
"""

import hashlib
import json
import os
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hd_controller.errors import BundleError, HdError
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SET, OBSERVATION_SIZE
from hd_controller.policy import Layer, MlpPolicy, check_layers

FORMAT_VERSION = 1
MAX_BYTES = 200_000_000
MAX_PARTS = 200
_DAMAGE = (
    *(LookupError, ValueError, TypeError, AttributeError, EOFError, ArithmeticError, MemoryError, RuntimeError),
    *(SyntaxError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What the zip, array and JSON readers raise on a damaged file."""


@dataclass(frozen=True)
class PolicyBundle:
    """Content of a policy file and of an ``hd_msgs/Policy`` message."""

    robot_id: str
    description_sha256: str
    """SHA-256 (hex) of the description text the policy was generated for."""
    morphology: Morphology
    joint_names: tuple[str, ...]
    effort_limits: np.ndarray
    """(J,) [N m]"""
    layers: list[Layer]
    observation_set: str
    observation_mean: np.ndarray
    """(17,)"""
    observation_std: np.ndarray
    """(17,)"""
    observation_clip: float
    control_period_s: float
    generator_id: str
    coverage: dict
    """See ``coverage.coverage_report``."""

    def __post_init__(self) -> None:
        """Keep numbers in the precision they are stored and sent with, so that every copy acts bit by bit alike."""
        kinds = {"effort_limits": np.float64, "observation_mean": np.float32, "observation_std": np.float32}
        for name, kind in kinds.items():
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=kind))
        layers = [tuple(np.ascontiguousarray(part, dtype=np.float32) for part in layer) for layer in self.layers]
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "observation_clip", float(np.float32(self.observation_clip)))

    @cached_property
    def layer_sizes(self) -> tuple[int, ...]:
        """Inputs of the first layer, then outputs of each."""
        return (self.layers[0][0].shape[0], *(weights.shape[1] for weights, _ in self.layers))

    @property
    def in_distribution(self) -> bool:
        """Whether the body lies inside what the generator was trained on."""
        return bool(self.coverage.get("in_distribution", False))

    def header(self) -> dict:
        """All that is not an array, ready for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "robot_id": self.robot_id,
            "description_sha256": self.description_sha256,
            "morphology": self.morphology.to_json(),
            "joint_names": list(self.joint_names),
            "observation_set": self.observation_set,
            "observation_clip": float(self.observation_clip),
            "control_period_s": float(self.control_period_s),
            "generator_id": self.generator_id,
            "coverage": self.coverage,
            "layers": len(self.layers),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, in the order they are hashed."""
        names = ("effort_limits", "observation_mean", "observation_std")
        arrays = {name: getattr(self, name) for name in names}
        for index, (weights, bias) in enumerate(self.layers):
            arrays |= {f"weights_{index}": weights, f"bias_{index}": bias}
        return arrays

    @cached_property
    def checksum(self) -> str:
        """SHA-256 (hex) over header and arrays."""
        digest = hashlib.sha256(json.dumps(self.header(), sort_keys=True).encode())
        for name, array in self.arrays().items():
            digest.update(f"{name}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def check(self) -> None:
        """Refuse what a controller must not run.

        Raises:
            BundleError: naming the field, what was expected and what it is.
        """
        body = self.morphology
        limbs, joints = len(body.limbs), len(body.joint_names)
        expected = {
            "robot_id": (body.robot_id, self.robot_id),
            "joint_names": (body.joint_names, tuple(self.joint_names)),
            "observation_set": (OBSERVATION_SET, self.observation_set),
            "effort_limits shape": ((joints,), np.shape(self.effort_limits)),
            "observation_mean shape": ((OBSERVATION_SIZE,), np.shape(self.observation_mean)),
            "observation_std shape": ((OBSERVATION_SIZE,), np.shape(self.observation_std)),
        }
        for name, (wanted, got) in expected.items():
            if wanted != got:
                raise BundleError(f"The policy's {name} is {_short(got)}; its body asks for {_short(wanted)}.")
        check_layers(self.layers)
        if self.layer_sizes[0] != limbs * OBSERVATION_SIZE:
            raise BundleError(
                f"The policy takes {self.layer_sizes[0]} numbers; its body of {limbs} limbs gives "
                f"{limbs * OBSERVATION_SIZE}."
            )
        numbers = np.concatenate([self.effort_limits, self.observation_mean, self.observation_std])
        positive = np.concatenate([self.effort_limits, self.observation_std, [self.observation_clip]])
        if not np.isfinite(numbers).all() or not (positive > 0).all() or not 0 < self.control_period_s < 1:
            raise BundleError("The policy has limits, statistics or a period that are not finite and positive.")
        if not np.allclose(self.effort_limits, body.effort_limits, rtol=1e-12, atol=0):
            raise BundleError("The policy's effort limits differ from those of its body; generate the policy again.")

    def policy(self) -> MlpPolicy:
        """The network, ready to act."""
        return MlpPolicy(self.layers, self.observation_mean, self.observation_std, self.observation_clip)

    def save(self, path: Path | str) -> None:
        """Write the file whole or not at all.

        Raises:
            BundleError: the disk refuses.
        """
        path = Path(path)
        if not path.name:
            raise BundleError(f"'{path}' is no name of a file; choose another place")
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        header = np.frombuffer(json.dumps({**self.header(), "checksum": self.checksum}).encode(), dtype=np.uint8)
        try:
            with temporary.open("wb") as file:
                np.savez(file, header=header, **self.arrays())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise BundleError(f"The policy cannot be written to {path} ({error.strerror}).") from error

    @staticmethod
    def load(path: Path | str) -> "PolicyBundle":
        """Read and check a policy file.

        Raises:
            BundleError: absent, damaged, of another version, or refused by ``check``.
        """
        path = Path(path)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise BundleError(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES} are read.")
            _check_sizes(path)
            with np.load(path, allow_pickle=False) as file:
                header = json.loads(bytes(file["header"]))
                arrays = {name: file[name] for name in file.files if name != "header"}
            bundle = from_parts(header, arrays)
        except OSError as error:
            raise BundleError(f"The policy {path} cannot be read ({error.strerror or error}).") from error
        except HdError as error:
            raise BundleError(f"{path}: {error}") from error
        except _DAMAGE as error:
            raise BundleError(f"{path} is no policy file ({type(error).__name__}: {error}).") from error
        return bundle


def _check_sizes(path: Path) -> None:
    """Refuse a file whose parts would unpack to more than ``MAX_BYTES``."""
    with zipfile.ZipFile(path) as file:
        entries = file.infolist()
        size = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_PARTS:
        raise BundleError(f"it has {len(entries)} parts; at most {MAX_PARTS} are read.")
    if size > MAX_BYTES:
        raise BundleError(f"its parts have {size} bytes; at most {MAX_BYTES} are read.")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def from_parts(header: dict, arrays: dict[str, np.ndarray]) -> PolicyBundle:
    """A checked bundle from a header (with its ``checksum``) and arrays.

    Raises:
        BundleError: another version, a wrong checksum, or refused by ``check``.
        MorphologyError: the body in it cannot be read.
        KeyError, ValueError, TypeError: parts are missing or of the wrong kind.
    """
    bundle = unchecked(header, arrays)
    if bundle.checksum != header["checksum"]:
        raise BundleError("The policy's checksum does not match its content; it was damaged on the way.")
    bundle.check()
    return bundle


def unchecked(header: dict, arrays: dict[str, np.ndarray]) -> PolicyBundle:
    """A bundle of these parts, whatever they hold; raises as ``from_parts`` where they make none at all."""
    if header["format_version"] != FORMAT_VERSION:
        raise BundleError(
            f"The policy has format version {header['format_version']}; this software reads version {FORMAT_VERSION}."
        )
    odd = [name for name, array in arrays.items() if np.asarray(array).dtype not in (np.float32, np.float64)]
    if odd:
        raise BundleError(f"The policy's array {_short(odd[0])} is of type {np.asarray(arrays[odd[0]]).dtype}; "
                          "expected float32 or float64.")
    return PolicyBundle(
        robot_id=str(header["robot_id"]),
        description_sha256=str(header["description_sha256"]),
        morphology=Morphology.from_json(header["morphology"]),
        joint_names=tuple(str(name) for name in header["joint_names"]),
        effort_limits=arrays["effort_limits"],
        layers=[(arrays[f"weights_{index}"], arrays[f"bias_{index}"]) for index in range(int(header["layers"]))],
        observation_set=str(header["observation_set"]),
        observation_mean=arrays["observation_mean"],
        observation_std=arrays["observation_std"],
        observation_clip=float(header["observation_clip"]),
        control_period_s=float(header["control_period_s"]),
        generator_id=str(header["generator_id"]),
        coverage=dict(header["coverage"]),
    )
