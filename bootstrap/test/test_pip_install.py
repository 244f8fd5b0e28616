"""Repair after an interruption, and pip's failures as sentences."""
from pathlib import Path

import pytest
from environment_setup import distribution_constraints, repair_cmake_paths
from layout import Layout
from pip_install import WHEELS_GUARD, _reason, pip_environment, repair_interrupted, site_packages_of


def test_half_installed_packages_are_removed_and_whole_ones_stay(tmp_path):
    for name, files in {"half": ["METADATA"], "whole": ["METADATA", "RECORD"]}.items():
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        for file in files:
            (folder / file).touch()
    (tmp_path / "~umpy").mkdir()
    repair_interrupted(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["whole-1.0.dist-info"]


def test_cmake_targets_point_to_this_machine(tmp_path):
    layout = Layout(tmp_path)
    folder = layout.venv / "share" / "std_msgs" / "cmake"
    folder.mkdir(parents=True)
    built_with = "/opt/python/cp311-cp311"
    targets = folder / "targets.cmake"
    targets.write_text(
        f'"{built_with}/include/python3.11;{built_with}/lib/python3.11/site-packages/numpy/_core/include;/usr/include"'
    )
    assert repair_cmake_paths(layout) == 1
    assert repair_cmake_paths(layout) == 0
    parts = targets.read_text().strip('"').split(";")
    assert (Path(parts[0]) / "Python.h").is_file()
    assert parts[1] == f"{site_packages_of(layout)}/numpy/_core/include"
    assert parts[2] == "/usr/include"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: [Errno -3] Temporary failure in name resolution", "check the network"),
        ("ERROR: No matching distribution found for x==9", "No matching distribution found for x==9"),
        ("", "no message"),
    ],
)
def test_failures_of_pip_become_sentences(output, expected, tmp_path):
    assert expected in _reason(output, tmp_path / "log")


def test_a_distribution_keeps_its_own_versions():
    lines = distribution_constraints("numpy==0.0.1\nmujoco==3.17.0\n").splitlines()
    assert lines[1] == "mujoco==3.17.0"
    assert lines[0].startswith("numpy==") and lines[0] != "numpy==0.0.1"


def test_pip_and_probes_do_not_inherit_library_paths_of_an_older_environment(monkeypatch):
    monkeypatch.setenv(WHEELS_GUARD, "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert not {WHEELS_GUARD, "PYTHONPATH"} & set(pip_environment())
