"""What `ros2 run hd_controller bench` measures, one module per question."""
