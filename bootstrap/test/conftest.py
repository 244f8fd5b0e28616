"""The bootstrap is a folder of scripts, not an installed package: put it on the path."""
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


@pytest.fixture(autouse=True)
def interrupts_arrive():
    """Programs started by a test can be interrupted, even where the tests run in the background (SIGINT ignored)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
