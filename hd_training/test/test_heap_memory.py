"""Freed blocks are kept: a second large block costs next to no page faults."""

import subprocess
import sys

import pytest

from hd_training.heap_memory import keep_freed_memory

PROGRAM = """
import ctypes, resource, sys
from hd_training.heap_memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_size_t,), (ctypes.c_void_p,)
faults = []
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(2**27)
    ctypes.memset(block, 1, 2**27)
    libc.free(block)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(faults[1] / faults[0])
"""


def share_of_faults(word):
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def test_a_second_block_reuses_the_pages_of_the_first():
    if not keep_freed_memory():
        pytest.skip("the C library has no mallopt")
    assert share_of_faults("keep") < 0.1
    assert share_of_faults("default") > 0.5
