"""What makes a build necessary, and the environment that programs get."""
from layout import Layout
from steps import StepRunner
from workspace import Workspace


def inputs_of(root):
    """Return all that a build depends on."""
    layout = Layout(root)
    return list(Workspace(layout, StepRunner(layout.stamps), None)._build_inputs())


def test_a_new_source_file_needs_a_build_and_a_log_beside_it_does_not(tmp_path):
    folder = tmp_path / "hd_training"
    folder.mkdir()
    (folder / "setup.py").write_text("")
    before = inputs_of(tmp_path)
    (folder / "MUJOCO_LOG.TXT").write_text("WARNING: Nan")
    (folder / "setup.py~").write_text("")
    assert inputs_of(tmp_path) == before
    (folder / "module.py").write_text("")
    assert inputs_of(tmp_path) != before


def test_without_a_home_folder_logs_have_a_place(tmp_path, monkeypatch):
    layout = Layout(tmp_path)
    workspace = Workspace(layout, StepRunner(layout.stamps), None)
    monkeypatch.delenv("ROS_LOG_DIR", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert "ROS_LOG_DIR" not in workspace.build_environment()
    monkeypatch.delenv("HOME")
    assert workspace.build_environment()["ROS_LOG_DIR"] == str(layout.log / "ros")
