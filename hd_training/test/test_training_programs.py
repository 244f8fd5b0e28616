"""Console scripts of the package, and Ctrl-C amid the imports of their worker processes, which is no traceback."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from hd_training import programs

PACKAGE = Path(programs.__file__).parent
SETUP = PACKAGE.parent / "setup.py"
SLOW_IMPORT = "import time\nprint('importing', flush=True)\ntime.sleep(60)\ndef work(): pass\n"
POOL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from hd_controller.programs import interrupts_held
from hd_training.worker_processes import end_when_interrupted
class Work:
    def __reduce__(self): return __import__, ("slow_import",)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=context, initializer=end_when_interrupted) as pool:
            with interrupts_held():
                job = pool.submit(print, Work())
            job.result()
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_ctrl_c_amid_the_imports_of_a_worker_process(tmp_path):
    (tmp_path / "slow_import.py").write_text(SLOW_IMPORT)
    script = tmp_path / "script.py"
    script.write_text(POOL)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=environment, start_new_session=True)  # fmt: skip
    try:
        assert process.stdout.readline() == "importing\n", process.communicate()
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        assert (process.communicate(timeout=60)[1], process.returncode) == ("", 130)
        assert time.monotonic() - began < 50, "the worker waited for the end of its imports"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_every_console_script_is_a_program_of_an_existing_module():
    scripts = dict(re.findall(r'"(\w+) = hd_training\.(\S+)"', SETUP.read_text()))
    assert len(scripts) >= 18
    for name, target in scripts.items():
        assert target == f"programs:{name}" and callable(getattr(programs, name)), name
        functions = [node.name for node in ast.parse((PACKAGE / f"{name}.py").read_text()).body
                     if isinstance(node, ast.FunctionDef)]  # fmt: skip
        assert "main" in functions, name
