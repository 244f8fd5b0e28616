"""A ROS domain that no other test on this machine uses at the same time, whatever checkout it runs in."""

import fcntl
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FIRST_DOMAIN, DOMAINS = 10, 90
"""Domains up to 101 have ports below those that Linux gives to other programs."""
_COUNT = itertools.count()


@contextmanager
def own_domain() -> Iterator[int]:
    """Yield the number of a domain, claimed by a locked file until the context is left."""
    start = os.getpid() * 7 + next(_COUNT)
    for offset in range(DOMAINS):
        domain = FIRST_DOMAIN + (start + offset) % DOMAINS
        with (Path(tempfile.gettempdir()) / f"hd_test_domain_{domain}.lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise AssertionError(f"all {DOMAINS} ROS domains for tests are in use")
