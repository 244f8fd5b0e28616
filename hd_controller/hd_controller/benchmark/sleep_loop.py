"""``python -m hd_controller.benchmark.sleep_loop RATE SECONDS``: how punctual this machine is without any ROS.

Sleeps to absolute times and prints the errors of its periods [s] as JSON.
"""

from __future__ import annotations

import json
import sys
import time

from hd_controller.benchmark.processes import sleep_until


def period_errors(rate_hz: float, seconds: float) -> list[float]:
    """|time between two wake-ups - period| [s] of a loop that does nothing else."""
    period_s, errors = 1.0 / rate_hz, []
    woke_s = deadline_s = time.monotonic()
    for _ in range(int(rate_hz * seconds)):
        deadline_s += period_s
        sleep_until(deadline_s)
        now_s = time.monotonic()
        errors.append(abs(now_s - woke_s - period_s))
        woke_s = now_s
    return errors


if __name__ == "__main__":
    print(json.dumps(period_errors(float(sys.argv[1]), float(sys.argv[2]))))
