"""The operator's page in a headless Chromium: the robot is shown and moves, is swapped by upload, and is stopped."""

import io
import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest

from hd_controller.shipped_files import generator_folder, robot_file
from hd_system_tests.browser import headless_browser
from hd_system_tests.processes import wait_until

pytestmark = pytest.mark.integration

DEADLINE_S = 120.0
"""Pictures are drawn by the processor here, on a computer that may be busy."""
SCREENSHOTS = os.environ.get("HD_SCREENSHOTS", "")
"""Folder for the pictures of README and docs; empty: none are kept."""
HEXAPOD_FILE = "six_legs.urdf"


@pytest.fixture
def address(system) -> str:
    """Address of the page of a simulated quadruped."""
    pytest.importorskip("viser", reason="needs viser")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    system.start("controller_node")
    system.start("generator_node", generator=generator_folder("default"))
    system.start("bridge_node")
    system.start("description_node", robot="quadruped")
    viewer = system.start("web_viewer_node", port=port, rate=4.0)
    wait_until(lambda: "operator's page: " in viewer.output, 60, "the page's address is printed")
    return re.search(r"operator's page: (\S+)", viewer.output)[1]


@pytest.fixture
def page(address):
    """The page, opened."""
    with headless_browser() as browser:
        size = {"width": 1100, "height": 700} if SCREENSHOTS else {"width": 720, "height": 520}
        opened = browser.new_page(viewport=size)
        opened.set_default_timeout(DEADLINE_S * 1e3)
        opened.goto(address if SCREENSHOTS else f"{address}?fixedDpr=0.5")
        opened.add_style_tag(content=".mantine-Notifications-root { display: none }")  # of slow drawing, and of uploads
        yield opened


def headline(page, text: str) -> None:
    """Wait until the status says so."""
    page.locator("[data-hd=headline]", has_text=text).wait_for()


def picture(page, name: str = "") -> np.ndarray:
    """Pixels of what is seen, (height, width, 3)."""
    from PIL import Image

    content = page.screenshot()
    image = Image.open(io.BytesIO(content)).convert("RGB")
    if SCREENSHOTS and name:
        image.quantize(128).save(Path(SCREENSHOTS) / f"{name}.png", optimize=True)
    return np.asarray(image).astype(int)


def upload(page, file: Path) -> None:
    """Choose a file for the page's upload button."""
    page.locator("input[type=file]").set_input_files(str(file))


def button(page, name: str):
    """A button by its label."""
    return page.get_by_role("button", name=name, exact=True)


def test_watch_swap_and_stop(system, page, tmp_path) -> None:
    """One visit, from opening the page to closing it."""
    from hd_system_tests.probe import Probe

    with Probe(system.domain, streams=False) as probe:
        shows_a_robot_that_moves(page)
        swaps_by_upload(page, probe, tmp_path)
        refuses_other_files(page, tmp_path)
        steers_the_simulation(page)
        stops_and_starts_again(page, probe)
        stops_in_a_narrow_window(page, probe)
        listened = probe.node.count_subscribers("joint_states")
        page.close()
        probe.spin_until(lambda: probe.node.count_subscribers("joint_states") < listened, 30,
                         "nothing is heard without a browser")


def scene(page, name: str = "") -> np.ndarray:
    """The part of the picture that is left of the panel."""
    left = button(page, "Reset emergency stop").bounding_box()["x"]
    return picture(page, name)[:, :int(left) - 40]


def coloured(pixels: np.ndarray) -> np.ndarray:
    """(height, width) whether a pixel has the colour of a limb: ground and sky are grey."""
    return np.ptp(pixels, axis=2) > 60


def middle(pixels: np.ndarray) -> np.ndarray:
    """The quarter of a picture (height, width) around its centre."""
    height, width = pixels.shape
    return pixels[height // 4:3 * height // 4, width // 4:3 * width // 4]


def changes(page) -> float:
    """Share of the scene's pixels that differ between two pictures."""
    first = scene(page)
    return float((np.abs(scene(page) - first).max(axis=2) > 30).mean())


def changes_from_a_start(page) -> float:
    """The same where the robot has just been put back: later it may lie still. The largest of three."""
    shares = []
    for _ in range(3):
        button(page, "Reset the robot").click()
        page.locator("[data-hd=answer]", has_text="Reset.").wait_for()
        shares.append(changes(page))
    return max(shares)


def shows_a_robot_that_moves(page) -> None:
    """The robot is in the middle of the scene, and moves until time stops; the status says who runs."""
    headline(page, "Running")
    page.locator("[data-hd=robot]", has_text="Robot quadruped").wait_for()
    page.get_by_text("Inside the trained range").wait_for()
    wait_until(lambda: middle(coloured(scene(page, "operator_page"))).mean() > 2e-3, DEADLINE_S, "the robot is shown")
    moving = changes_from_a_start(page)
    button(page, "Pause").click()
    page.get_by_text("the robot is paused or gone").wait_for()
    still = min(changes(page) for _ in range(3))  # the browser may still draw what came before
    assert moving > max(5e-4, 5 * still), f"{moving:.4f} of the scene changes while it runs, {still:.4f} paused"
    button(page, "Go on").click()


def swaps_by_upload(page, probe, folder: Path) -> None:
    """Another robot runs after an upload, on the page and for the controller."""
    file = folder / HEXAPOD_FILE
    file.write_text(robot_file("hexapod").read_text())
    upload(page, file)
    page.locator("[data-hd=robot]", has_text="Robot hexapod").wait_for()
    probe.spin_until(lambda: probe.mode == "run" and probe.statuses[-1].robot_name == "hexapod", 30, "hexapod runs")
    headline(page, "Running")
    if SCREENSHOTS:
        page.get_by_text("Diagnostics", exact=True).scroll_into_view_if_needed()
        picture(page, "operator_page_curves")
        button(page, "Reset emergency stop").scroll_into_view_if_needed()


def refuses_other_files(page, folder: Path) -> None:
    """What is no robot, and what is far too large, is refused with a sentence; the robot runs on."""
    note = folder / "note.urdf"
    note.write_text("this is no robot")
    upload(page, note)
    page.locator("[data-hd=answer]", has_text="'note.urdf' is refused").wait_for()
    huge = folder / "huge.urdf"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    upload(page, huge)
    page.locator("[data-hd=answer]", has_text="'huge.urdf' has 100.0 MB").wait_for()
    headline(page, "Running")
    page.locator("[data-hd=robot]", has_text="Robot hexapod").wait_for()


def steers_the_simulation(page) -> None:
    """Time stops and goes on, and the robot is pushed."""
    button(page, "Pause").click()
    page.get_by_text("the robot is paused or gone").wait_for()
    button(page, "10 steps").click()
    page.locator("[data-hd=answer]", has_text="10 steps").wait_for()
    button(page, "Go on").click()
    button(page, "left").click()
    page.locator("[data-hd=answer]", has_text="pushing for 0.1 s").wait_for()
    headline(page, "Running")


def stops_and_starts_again(page, probe) -> None:
    """The big button stops the robot wherever the panel is scrolled to, and so does its key; a reset frees it."""
    stop = button(page, "EMERGENCY STOP")
    assert stop.bounding_box()["height"] >= 50, "it is big"
    scroll_down(page)
    assert in_sight(stop), "the button is in sight"
    stop.click()
    is_stopped(page, probe)
    button(page, "Reset emergency stop").scroll_into_view_if_needed()
    picture(page, "operator_page_stopped")
    runs_again(page, probe)
    page.keyboard.press("x")
    is_stopped(page, probe)
    runs_again(page, probe)


def stops_in_a_narrow_window(page, probe) -> None:
    """On a phone all panels are one sheet: the button stays at its top."""
    from playwright.sync_api import expect

    page.set_viewport_size({"width": 420, "height": 700})
    stop = button(page, "EMERGENCY STOP")
    expect(stop).to_have_count(1, timeout=DEADLINE_S * 1e3)  # two while the page is laid out anew
    scroll_down(page)
    assert in_sight(stop), "the button is in sight"
    stop.click()
    is_stopped(page, probe)


def scroll_down(page) -> None:
    """To the end of the panel: what is at its top cannot be seen any more."""
    last = page.get_by_text("Diagnostics", exact=True)
    last.scroll_into_view_if_needed()
    assert in_sight(last) and not in_sight(page.locator("[data-hd=headline]"))


def in_sight(element) -> bool:
    """Whether an element's middle is inside the window, with nothing in front of it."""
    return element.evaluate("""element => {
        const box = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
    }""")


def is_stopped(page, probe) -> None:
    """Wait until controller and page say so."""
    probe.spin_until(lambda: probe.statuses and probe.statuses[-1].e_stop_latched, 30, "the emergency stop is latched")
    assert probe.mode == "fault"
    headline(page, "Emergency stop")


def runs_again(page, probe) -> None:
    """Reset and enable."""
    button(page, "Reset emergency stop").click()
    headline(page, "Standby")
    button(page, "Enable").click()
    headline(page, "Running")
    probe.spin_until(lambda: probe.mode == "run", 30, "the policy runs again")
