"""A Chromium for the test of the operator's page: one that is there, playwright's own, or the system's package."""
from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from console import say, timed
from layout import Layout

ON_THE_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEADLINE_S = 900


def browsers_folder(layout: Layout) -> Path:
    """Return where playwright keeps its browsers."""
    return layout.home / "browsers"


def install_browser(layout: Layout, environment: Mapping[str, str]) -> bool:
    """Return whether a browser is there; where none can be had, say so: its tests are skipped."""
    if any(map(shutil.which, ON_THE_PATH)) or any(browsers_folder(layout).glob("chromium*")):
        return True
    root = os.geteuid() == 0
    playwright = [str(layout.python), "-m", "playwright", "install", "--only-shell", "chromium"]
    ways = [[*playwright, "--with-deps"] if root else playwright]
    if root and shutil.which("apt-get"):
        ways += [["apt-get", "install", "-y", "--no-install-recommends", "chromium"]]
    environment = {**environment, "PLAYWRIGHT_BROWSERS_PATH": str(browsers_folder(layout)),
                   "DEBIAN_FRONTEND": "noninteractive"}
    log = layout.log / "setup-browser.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with timed("installing a browser for the tests"):
        done = any(_runs(way, environment, log) for way in ways)
    if not done:
        say(f"no browser could be installed ({log} says why): the tests that need one are skipped")
    return done


def _runs(command: Sequence[str], environment: Mapping[str, str], log: Path) -> bool:
    """Run a command; its output goes to the log."""
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        try:
            done = subprocess.run(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as problem:
            output.write(f"{problem}\n")
            return False
    return done.returncode == 0
