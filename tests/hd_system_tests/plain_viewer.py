"""Opens the operator's page as a browser does, without drawing anything: for tests that need no pictures."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import viser
import zstandard
from websockets.sync.client import connect

CAMERA = {"type": "ViewerCameraMessage", "wxyz": [1.0, 0.0, 0.0, 0.0], "position": [3.0, 3.0, 3.0], "fov": 1.0,
          "near": 0.01, "far": 1000.0, "image_height": 500, "image_width": 700, "look_at": [0.0, 0.0, 0.0],
          "up_direction": [0.0, 0.0, 1.0]}
"""What a browser says of itself at first; the server takes it for connected from then on."""


class PlainViewer:
    """Use as a context manager; nothing is received outside of `read_until` and `read_for`."""

    def __init__(self, address: str, cookie: str = "") -> None:
        headers = {"Cookie": cookie} if cookie else {}
        url = address.split("?")[0].replace("http://", "ws://")
        self._socket = connect(url, subprotocols=[f"viser-v{viser.__version__}"], additional_headers=headers,
                               max_size=None)
        self._send(CAMERA)
        self.received_bytes = 0
        self.counts: Counter[str] = Counter()
        """Messages by type."""
        self.elements: dict[str, dict[str, Any]] = {}
        """Properties of the page's elements by their identity."""
        self.nodes: dict[str, dict[str, Any]] = {}
        """Messages that made the nodes of the scene, by name."""

    def __enter__(self) -> "PlainViewer":
        """Use as a context manager."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Close the page."""
        self._socket.close()

    def _send(self, message: dict[str, Any]) -> None:
        self._socket.send(msgspec.msgpack.encode(message))

    def _receive(self, timeout_s: float) -> None:
        try:
            data = self._socket.recv(timeout=timeout_s)
        except TimeoutError:
            return
        self.received_bytes += len(data)
        length = int.from_bytes(data[8:16], "little")
        for message in msgspec.msgpack.decode(zstandard.decompress(data[16:16 + length]))["messages"]:
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        self.counts[message["type"]] += 1
        if "uuid" in message and "props" in message:
            self.elements[message["uuid"]] = message["props"]
        elif message["type"] == "GuiUpdateMessage":
            self.elements.setdefault(message["uuid"], {}).update(message["updates"])
        elif "name" in message and "props" in message:
            self.nodes[message["name"]] = message

    def read_until(self, condition: Callable[[], object], deadline_s: float, what: str) -> None:
        """Receive until the condition holds; fails with `what` at the deadline."""
        end = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < end, f"not within {deadline_s:g} s: {what}; the page says: {self.text[:2000]}"
            self._receive(0.1)

    def read_for(self, seconds: float) -> None:
        """Receive for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._receive(0.1)

    @property
    def text(self) -> str:
        """All that the page says in words."""
        return "\n".join(str(props["content"]) for props in self.elements.values() if "content" in props)

    def labelled(self, label: str) -> list[str]:
        """Identities of the elements with this label."""
        return [uuid for uuid, props in self.elements.items() if props.get("label") == label]

    def press(self, label: str, option: str | bool = True) -> None:
        """Press a button, or that of a group of buttons with this option."""
        self._send({"type": "GuiUpdateMessage", "uuid": self.labelled(label)[0], "updates": {"value": option}})
