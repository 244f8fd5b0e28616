"""The command `ros2` for machines whose ROS 2 comes from PyPI: `ros2 launch` and `ros2 run`."""
