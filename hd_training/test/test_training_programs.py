"""Ctrl-C amid the imports of worker processes, which is no traceback."""

import os
import signal
import subprocess
import sys
import time

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
