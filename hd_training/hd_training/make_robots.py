"""Command `make_robots`."""

from hd_training.robot_set import main

if __name__ == "__main__":
    raise SystemExit(main())
