"""Who may import whom, proved in clean interpreters."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "rclpy", "hd_training", "hd_sim_bridge")

RULES = [
    ("hd_controller.control_loop", (*HEAVY, "onnxruntime", "yourdfpy", "hd_msgs")),
    ("hd_controller.generator", (*HEAVY, "hd_msgs")),
    ("hd_controller.controller", (*HEAVY, "onnxruntime", "yourdfpy", "hd_msgs")),
    ("hd_controller.controller_node", ("torch", "onnxruntime", "yourdfpy", "hd_training", "hd_sim_bridge")),
    ("hd_controller.generator_node", ("torch", "hd_training", "hd_sim_bridge")),
    ("hd_sim_bridge.simulation", ("torch", "rclpy", "hd_training", "hd_msgs", "onnxruntime")),
    ("hd_sim_bridge.closed_loop", ("torch", "rclpy", "hd_training", "hd_msgs")),
    ("hd_sim_bridge.bridge_node", ("torch", "hd_training", "onnxruntime")),
    ("hd_sim_bridge.web_viewer_node", ("torch", "hd_training", "onnxruntime")),
    ("hd_sim_bridge.web_viewer.drawing", ("torch", "rclpy", "hd_training", "hd_msgs", "viser")),
    ("hd_sim_bridge.web_viewer.page", ("torch", "rclpy", "hd_training", "hd_msgs")),
    ("hd_training.engine", ("rclpy", "hd_msgs", "hd_sim_bridge")),
    ("hd_training.bound_teacher", ("rclpy", "hd_msgs", "hd_sim_bridge")),
    ("hd_training.teacher_node", ("hd_sim_bridge", "onnxruntime")),
]


@pytest.mark.parametrize(("module", "forbidden"), RULES, ids=[module for module, _ in RULES])
def test_does_not_load(module: str, forbidden: tuple[str, ...]) -> None:
    """Importing the module loads none of the forbidden packages."""
    if module.endswith("_node"):
        pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    if module.startswith("hd_training"):
        pytest.importorskip("torch", reason="needs torch")
    code = f"import sys, {module}; print(*sorted(set({forbidden!r}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


@pytest.mark.parametrize(("package", "forbidden"), [("hd_sim_bridge", "hd_training"), ("hd_training", "hd_sim_bridge")])
def test_bridge_and_training_never_name_each_other(package: str, forbidden: str) -> None:
    """No source file of one names the other in an import, lazily neither."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    files = sorted(Path(spec.origin).parent.rglob("*.py"))
    assert files
    for file in files:
        lines = [line.strip() for line in file.read_text().splitlines()]
        assert not [line for line in lines if line.startswith(("import ", "from ")) and forbidden in line], file


def test_in_training_only_nodes_name_ros() -> None:
    """rclpy and messages are for the thin shells around everything else."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("hd_training")
    assert spec is not None and spec.origin is not None
    named = {file.name for file in Path(spec.origin).parent.rglob("*.py")
             for line in file.read_text().splitlines()
             if line.strip().startswith(("import ", "from ")) and ("rclpy" in line or "_msgs" in line)}
    assert named == {"teacher_node.py"}
