"""A headless Chromium that draws WebGL without a graphics card."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ARGUMENTS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox", "--mute-audio")
INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def headless_browser() -> Iterator[Any]:
    """Yield a browser of playwright's or of this computer (HD_CHROMIUM names one); skips the test where none starts."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: .ci/run installs it")
    with playwright.sync_playwright() as running:
        browser = _started(running.chromium, playwright.Error)
        try:
            yield browser
        finally:
            browser.close()


def _started(chromium: Any, error: type[Exception]) -> Any:
    """The first browser that starts."""
    own = [os.environ["HD_CHROMIUM"]] if "HD_CHROMIUM" in os.environ else [None]
    problems = []
    for path in (*own, *filter(None, map(shutil.which, INSTALLED))):
        try:
            return chromium.launch(executable_path=path, args=list(ARGUMENTS))
        except error as problem:
            problems.append(str(problem).strip().splitlines()[0])
    pytest.skip(f"no Chromium starts (.ci/run installs one): {problems[0]}")
