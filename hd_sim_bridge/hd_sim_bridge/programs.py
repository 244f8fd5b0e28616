"""What `ros2 run` and launch files start: signals are provided for before anything heavy is imported."""

from hd_controller.programs import command, run


def bench_real_time() -> int:
    """`ros2 run hd_sim_bridge bench_real_time`."""
    return command("hd_sim_bridge.bench_real_time")


def bridge_node() -> int:
    """`ros2 run hd_sim_bridge bridge_node`."""
    return run("hd_sim_bridge.bridge_node")


def compare_base_state() -> int:
    """`ros2 run hd_sim_bridge compare_base_state`."""
    return command("hd_sim_bridge.compare_base_state")


def compare_guards() -> int:
    """`ros2 run hd_sim_bridge compare_guards`."""
    return command("hd_sim_bridge.compare_guards")


def gallery() -> int:
    """`ros2 run hd_sim_bridge gallery`."""
    return command("hd_sim_bridge.gallery")


def render_robots() -> int:
    """`ros2 run hd_sim_bridge render_robots`."""
    return command("hd_sim_bridge.render_robots")


def web_viewer_node() -> int:
    """`ros2 run hd_sim_bridge web_viewer_node`."""
    return run("hd_sim_bridge.web_viewer_node")
