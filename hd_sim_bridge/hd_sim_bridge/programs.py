"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from hd_controller.programs import run


def bridge_node() -> int:
    """`ros2 run hd_sim_bridge bridge_node`."""
    return run("hd_sim_bridge.bridge_node")


def web_viewer_node() -> int:
    """`ros2 run hd_sim_bridge web_viewer_node`."""
    return run("hd_sim_bridge.web_viewer_node")
