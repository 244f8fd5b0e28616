"""``python fuzz_runner.py KINDS SEED COUNT``: COUNT damaged inputs of each kind (urdf,mjcf,mesh,body,policy,bundle).

Prints the counts as JSON, or the failing cases.

A process of its own, since a crash in native code would take the tests with it.
"""

import faulthandler
import hashlib
import json
import struct
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from bodies import own_robots, random_body, unimal_files
from fuzz_mutations import damaged_bytes, damaged_json, damaged_xml, json_text, pick
from fuzz_properties import Budget, check_body, check_policy, outcome
from hypernetworks import linear_generator

from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_controller.policy_bundle import PolicyBundle, unchecked
from hd_controller.robot_file import read_robot
from hd_controller.urdf_reader import read_urdf
from hd_controller.urdf_writer import write_urdf

BODIES = [random_body(seed, limbs=limbs) for seed, limbs in ((1, 1), (2, 3), (3, 5), (4, 8))]
MJCF = """<mujoco model="m"><compiler angle="degree"/><default><joint armature="1" damping="1"/>
<default class="leg"><geom type="capsule" size="0.05"/></default></default>
<asset><mesh name="tetra" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/></asset><worldbody><geom type="plane" size="1 1 1"/>
<body name="torso" pos="0 0 1"><freejoint/><geom type="sphere" size="0.1"/>
<body name="leg" pos="0 0 -0.1"><joint name="x" axis="1 0 0" range="-30 60"/>
<joint name="y" axis="0 1 0" range="-9 90"/>
<geom class="leg" fromto="0 0 0 0 0 -0.3"/><body name="foot" pos="0 0 -0.3"><joint name="z" range="-5 5" axis="0 1 1"/>
<geom type="box" size="0.1 0.05 0.02" mass="0.4"/></body></body></body></worldbody>
<actuator><motor joint="x" gear="100" ctrlrange="-1 1" ctrllimited="true"/><motor joint="y" gear="80"/>
<motor joint="z" gear="20"/></actuator></mujoco>"""
MESH_MJCF = """<mujoco><asset><mesh name="m" file="URI"/></asset><worldbody><body name="torso"><freejoint/>
<geom type="sphere" size="0.1"/><body name="leg"><joint name="x" range="-30 60"/><geom type="mesh" mesh="m"/>
<inertial pos="0 0 0.1" mass="1" diaginertia="0.1 0.1 0.1"/></body></body></worldbody>
<actuator><motor joint="x" gear="9"/></actuator></mujoco>"""
MESH_URDF = """<robot name="m"><link name="torso"><inertial><mass value="1"/>
<inertia ixx="1" iyy="1" izz="1"/></inertial>
<collision><geometry><mesh filename="URI"/></geometry></collision></link></robot>"""
_CORNERS = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
_FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
_STL_ROWS = [struct.pack("<12fH", *(0.0,) * 3, *(float(c) for k in face for c in _CORNERS[k]), 0) for face in _FACES]
MESHES = [
    (".stl", bytes(80) + struct.pack("<I", 4) + b"".join(_STL_ROWS)),
    (".stl", b"solid m\n" + b"".join(
        b"facet normal 0 0 0\nouter loop\n" + b"".join(b"vertex %d %d %d\n" % _CORNERS[k] for k in face)
        + b"endloop\nendfacet\n" for face in _FACES) + b"endsolid m\n"),
    (".obj", b"".join(b"v %d %d %d\n" % corner for corner in _CORNERS)
     + b"".join(b"f %d %d %d\n" % tuple(k + 1 for k in face) for face in _FACES)),
]
KEPT_BYTES = 4000


class Fuzzer:
    """Makes and judges one case after another; every case depends on (kind, seed, number) alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generator = linear_generator(folder / "good", BODIES)
        self.urdfs = [write_urdf(body) for body in BODIES] + [path.read_text() for path in own_robots()[:2]]
        self.mjcfs = [MJCF, *(path.read_text() for path in unimal_files()[:3])]
        self.policies = [generate_policy(text, self.generator) for text in self.urdfs[:3]]
        self.case = b""

    def urdf(self, random: np.random.Generator) -> str:
        """A damaged URDF text, as it comes from a topic."""
        text = damaged_xml(pick(random, self.urdfs), random)
        self.case = text.encode("utf-8", "surrogateescape")
        return outcome(lambda: check_body(read_urdf(text, notes=[]), self.generator))

    def mjcf(self, random: np.random.Generator) -> str:
        """A damaged MJCF file."""
        return self._file("case.xml", damaged_xml(pick(random, self.mjcfs), random).encode("utf-8", "surrogateescape"),
                          lambda path: check_body(read_robot(path, notes=[]), self.generator))

    def mesh(self, random: np.random.Generator) -> str:
        """A damaged mesh file, or a strange path of one, in a URDF or an MJCF file."""
        suffix, content = pick(random, MESHES)
        uri = f"case{suffix}"
        if random.random() < 0.3:
            uri = pick(random, (f"file://{self.folder}/case{suffix}", f"package://{self.folder.name}/case{suffix}",
                                f"./case{suffix}", "x" * 5000, "../case.stl", "/etc/passwd", "case.stl/", "/dev/zero",
                                "package://hd_controller/" + "x" * 300, "file:///" + "a/" * 3000, "link.stl"))
        else:
            content = damaged_bytes(content, random)
        (self.folder / f"case{suffix}").write_bytes(content)
        link = self.folder / "link.stl"
        if not link.is_symlink():
            link.symlink_to("/etc/passwd")
        text = MESH_URDF if random.random() < 0.6 else MESH_MJCF
        self.case = f"{uri} {content!r}".encode()
        robot = self.folder / "mesh_robot.xml"
        robot.write_text(text.replace("URI", uri))
        return outcome(lambda: check_body(read_robot(robot, notes=[]), self.generator))

    def _file(self, name: str, content: bytes, read: Callable[[Path], None]) -> str:
        self.case = content
        path = self.folder / name
        path.write_bytes(content)
        return outcome(read, path)

    def policy(self, random: np.random.Generator) -> str:
        """A damaged policy file: bytes, or header and arrays with a fitting checksum where one can be made."""
        bundle = pick(random, self.policies)
        path = self.folder / "case.npz"
        if random.random() < 0.4:
            bundle.save(path)
            return self._file(path.name, damaged_bytes(path.read_bytes(), random), self._load_policy)
        header = {**bundle.header(), "checksum": bundle.checksum}
        if random.random() < 0.5:
            header["morphology"] = json_text(damaged_json(json.loads(header["morphology"]), random))
        else:
            header = damaged_json(header, random)
        arrays = {name: _damaged_array(array, random) for name, array in bundle.arrays().items()}
        _seal(header, arrays)
        self.case = json_text(header).encode()
        with path.open("wb") as file:
            np.savez(file, header=np.frombuffer(self.case, dtype=np.uint8), **arrays)
        return outcome(self._load_policy, path)

    @staticmethod
    def _load_policy(path: Path) -> None:
        check_policy(PolicyBundle.load(path))

    def bundle(self, random: np.random.Generator) -> str:
        """A damaged generator bundle: network bytes with a fitting checksum, or header values."""
        good = self.folder / "good"
        header = json.loads((good / "bundle.json").read_text())
        network = (good / "hypernetwork.onnx").read_bytes()
        if random.random() < 0.5:
            network = damaged_bytes(network, random)
            if random.random() < 0.9:
                header["network_sha256"] = hashlib.sha256(network).hexdigest()
        else:
            header = damaged_json(header, random)
        if isinstance(header, dict):
            header.pop("header_sha256", None)  # else nothing that is damaged would get further
        text = json_text(header).encode()
        if random.random() < 0.15:
            text = damaged_bytes(text, random)
        folder = self.folder / "case"
        folder.mkdir(exist_ok=True)
        (folder / "hypernetwork.onnx").write_bytes(network)
        self.case = text
        (folder / "bundle.json").write_bytes(text)
        return outcome(lambda: check_body(BODIES[1], GeneratorBundle.load(folder)))

    def body(self, random: np.random.Generator) -> str:
        """A damaged body as JSON, as policy messages carry it."""
        text = json_text(damaged_json(json.loads(pick(random, BODIES).to_json()), random))
        self.case = text.encode()
        return outcome(lambda: check_body(Morphology.from_json(text), self.generator))


def _damaged_array(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if random.random() > 0.15 or not array.size:
        return array
    kind = int(random.integers(6))
    if kind == 0:
        return array[:-1]
    if kind == 1:
        return array.astype(pick(random, (np.float16, np.float64, np.int32, np.complex64, "S4", bool)))
    if kind == 2:
        return array[..., None]
    changed = array.copy()
    place = int(random.integers(array.size))
    changed.flat[place] = pick(random, (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30, 3e38, 1e-42, 1e9, 1e-30))
    return changed if kind < 5 else np.asfortranarray(changed)


def _seal(header: object, arrays: dict[str, np.ndarray]) -> None:
    """Give a header the checksum of its content, so that what lies behind that check is reached too."""
    with suppress(Exception):  # parts that make no bundle at all go on as they are
        header["checksum"] = unchecked(header, arrays).checksum


def run(kind: str, seed: int, count: int, failures_at_most: int = 5) -> dict[str, int]:
    """Counts of outcomes; raises AssertionError with every failing case, `failures_at_most` of them."""
    results: Counter = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder))
        budget = Budget()
        for number in range(count):
            budget.start()
            try:
                results[getattr(fuzzer, kind)(np.random.default_rng([seed, number]))] += 1
                budget.check()
            except Exception as error:  # whatever it is, it is no documented refusal
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                failures.append(f"{kind} seed {seed} number {number}: {type(error).__name__} at {where}: "
                                f"{str(error)[:400]}\n    {fuzzer.case[:KEPT_BYTES]!r}")
            if len(failures) >= failures_at_most:
                break
    assert not failures, "\n".join(failures)
    return dict(results)


if __name__ == "__main__":
    faulthandler.enable()
    print(json.dumps({kind: run(kind, int(sys.argv[2]), int(sys.argv[3])) for kind in sys.argv[1].split(",")}))
