"""ROS 2 nodes in launch files: the part of ROS 2's `launch_ros` that this project uses (see `launch`)."""
