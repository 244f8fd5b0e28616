"""Freed memory is kept for the next use: large tensors then cost no page faults.

The C library of GNU/Linux takes blocks above 32 MB from the system anew each time and gives them back when freed; the
system clears every page of them first. An update's tensors are of that size, and that took up to half of its time.
"""

from __future__ import annotations

import ctypes

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # of mallopt(3)
LARGEST_BLOCK_BYTES = 2**30
MOST_KEPT_BYTES = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the C library keep up to 2 GiB of freed memory for this process; False where it has no such setting."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    settings = ((MMAP_THRESHOLD, LARGEST_BLOCK_BYTES), (TRIM_THRESHOLD, MOST_KEPT_BYTES))
    return all([mallopt(name, value) == 1 for name, value in settings])
