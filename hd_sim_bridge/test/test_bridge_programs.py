"""Programs of the package where OpenGL is missing."""

import os
import subprocess
import sys


def test_an_opengl_that_does_not_exist_is_one_line() -> None:
    code = "import sys\nfrom hd_sim_bridge.programs import gallery\nsys.exit(gallery())"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"MUJOCO_GL": "nonsense"}, capture_output=True,
                          text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("MuJoCo cannot be imported with MUJOCO_GL=nonsense")
