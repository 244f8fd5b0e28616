"""``python -m hd_system_tests.bench_page``: processor time of the operator's page with no, one and three viewers.

A quadruped runs in real time; viewers take the page's messages as browsers do, without drawing them, in this process.
"""

import argparse
import re
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from hd_controller.shipped_files import generator_folder
from hd_sim_bridge.process_tree import processor_s
from hd_system_tests.domains import own_domain
from hd_system_tests.plain_viewer import PlainViewer
from hd_system_tests.processes import NodeProcess, RosSystem, wait_until

VIEWERS = (0, 1, 3)
WARM_UP_S = 4.0
PICTURE, PARTS = "SceneNodeUpdateMessage", 3
"""Each picture of a robot of capsules changes places of balls, and places and directions of cylinders."""


def started(system: RosSystem, rate: float) -> tuple[NodeProcess, str]:
    """The page of a running robot, and its address."""
    system.start("controller_node")
    system.start("generator_node", generator=generator_folder("default"))
    system.start("bridge_node")
    system.start("description_node", robot="quadruped")
    page = system.start("web_viewer_node", rate=rate, port=18900)
    wait_until(lambda: "operator's page: " in page.output, 60, "the page's address")
    return page, re.search(r"operator's page: (\S+)", page.output)[1]


def share_of_a_core(pid: int, seconds: float) -> float:
    """Processor time that a process takes, in percent of a core."""
    begin_s, used_s = time.monotonic(), processor_s(pid)
    time.sleep(seconds)
    return 100 * (processor_s(pid) - used_s) / (time.monotonic() - begin_s)


def measured(page: NodeProcess, address: str, viewers: int, seconds: float) -> str:
    """One line: processor time and pictures per second."""
    done = threading.Event()

    def watch(viewer: PlainViewer) -> None:
        while not done.is_set():
            viewer.read_for(0.2)

    with ExitStack() as stack:
        watching = [stack.enter_context(PlainViewer(address)) for _ in range(viewers)]
        threads = [threading.Thread(target=watch, args=(viewer,)) for viewer in watching]
        for thread in threads:
            thread.start()
        time.sleep(WARM_UP_S)
        before = [(viewer.received_bytes, viewer.counts[PICTURE]) for viewer in watching]
        share = share_of_a_core(page.process.pid, seconds)
        rates = [((viewer.received_bytes - count) / seconds / 1e3, (viewer.counts[PICTURE] - changes) / seconds / PARTS)
                 for viewer, (count, changes) in zip(watching, before, strict=True)]
        done.set()
        for thread in threads:
            thread.join()
    traffic = f", {min(rates)[0]:.0f} kB and {min(rates)[1]:.1f} pictures a second to each" if rates else ""
    return f"{viewers} viewers: {share:.1f} % of a core{traffic}, {page.resident_mb():.0f} MB"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m hd_system_tests.bench_page", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement (default %(default)g)")
    parser.add_argument("--rate", type=float, default=20.0, help="pictures per second (default %(default)g)")
    options = parser.parse_args()
    with (tempfile.TemporaryDirectory() as folder, own_domain() as domain,
          RosSystem(Path(folder), domain) as system):
        page, address = started(system, options.rate)
        time.sleep(WARM_UP_S)
        for viewers in VIEWERS:
            print(measured(page, address, viewers, options.seconds), flush=True)


if __name__ == "__main__":
    main()
