"""Console scripts of the package: every one is a program of an existing module, and ends in order without OpenGL."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from hd_sim_bridge import programs

PACKAGE = Path(programs.__file__).parent
SETUP = PACKAGE.parent / "setup.py"


def test_every_console_script_is_a_program_of_an_existing_module() -> None:
    scripts = dict(re.findall(r'"(\w+) = hd_sim_bridge\.(\S+)"', SETUP.read_text()))
    assert len(scripts) >= 7
    for name, target in scripts.items():
        assert target == f"programs:{name}" and callable(getattr(programs, name)), name
        functions = [node.name for node in ast.parse((PACKAGE / f"{name}.py").read_text()).body
                     if isinstance(node, ast.FunctionDef)]
        assert "main" in functions, name


def test_an_opengl_that_does_not_exist_is_one_line() -> None:
    code = "import sys\nfrom hd_sim_bridge.programs import gallery\nsys.exit(gallery())"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"MUJOCO_GL": "nonsense"}, capture_output=True,
                          text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("MuJoCo cannot be imported with MUJOCO_GL=nonsense")
