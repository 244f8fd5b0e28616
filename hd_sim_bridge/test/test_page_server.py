"""The page's server keeps its rules: asked by plain HTTP and WebSocket clients."""

import contextlib
import http.client
import json
from collections.abc import Iterator

import pytest

from hd_controller.errors import HdError
from hd_sim_bridge.web_viewer.access import AccessRules
from hd_sim_bridge.web_viewer.page_address import free_port
from hd_sim_bridge.web_viewer.uploads import check_size

viser = pytest.importorskip("viser", reason="needs viser")

from viser import _messages  # noqa: E402
from websockets.exceptions import InvalidStatus  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from hd_sim_bridge.web_viewer import page_server  # noqa: E402

TOKEN = "a-token-of-some-length"
HOST = "127.0.0.1"
PROTOCOL = f"viser-v{viser.__version__}"


@contextlib.contextmanager
def served(token: str = "", refused=lambda sentence: None) -> Iterator[viser.ViserServer]:
    """A server with these rules."""
    server = page_server.open_server(AccessRules(token), HOST, free_port(HOST, 18080), check_size, refused)
    try:
        yield server
    finally:
        page_server.close_server(server)


def get(server: viser.ViserServer, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    """The answer to a request; its content is read."""
    connection = http.client.HTTPConnection(HOST, server.get_port(), timeout=20)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


def opened(server: viser.ViserServer, **options):
    """A WebSocket as a browser opens it."""
    return connect(f"ws://{HOST}:{server.get_port()}/", subprotocols=[PROTOCOL], **options)


def test_the_page_is_served_and_cannot_be_framed():
    with served() as server:
        page = get(server)
        assert page.status == 200 and "<html" in page.text
        assert page.headers["X-Frame-Options"] == "DENY" and page.headers["Content-Encoding"] == "identity"
        assert get(server, "/../../etc/passwd").status == 404
        with opened(server) as connection:
            assert connection.recv()


def test_pages_of_other_sites_and_other_names_are_kept_out():
    with served() as server:
        refusal = get(server, Host="evil.example")
        assert refusal.status == 403 and "localhost alone" in refusal.text
        with pytest.raises(InvalidStatus, match="403"):
            opened(server, origin="http://evil.example")
        with opened(server, origin=f"http://{HOST}:{server.get_port()}") as connection:
            assert connection.recv()


def test_a_token_is_asked_for_by_page_and_connection():
    with served(TOKEN) as server:
        assert get(server).status == 403
        with pytest.raises(InvalidStatus, match="403"):
            opened(server)
        page = get(server, f"/?token={TOKEN}")
        assert page.status == 200
        cookie = page.headers["Set-Cookie"].split(";")[0]
        with opened(server, additional_headers={"Cookie": cookie}) as connection:
            assert connection.recv()


def test_viewers_are_counted(monkeypatch):
    monkeypatch.setattr(page_server, "MOST_VIEWERS", 2)
    with served() as server, opened(server) as first, opened(server):
        with pytest.raises(InvalidStatus, match="503"):
            opened(server)
        first.close()
        with contextlib.closing(_opened_when_possible(server)) as third:
            assert third.recv()


def _opened_when_possible(server: viser.ViserServer):
    """A connection, as soon as the server has noticed that another one is gone."""
    for _ in range(200):
        with contextlib.suppress(InvalidStatus):
            return opened(server)
    raise AssertionError("the place of a viewer that has left stays taken")


def test_no_browser_can_open_a_tunnel_to_the_internet():
    with served() as server:
        handlers = server._websock_server._incoming_handlers
        assert _messages.ShareUrlRequest not in handlers and _messages.ShareUrlDisconnect not in handlers


def test_a_large_file_is_refused_before_it_comes():
    sentences: list[str] = []
    with served(refused=sentences.append) as server:
        button = server.gui.add_upload_button("Upload")
        start = server._websock_server._incoming_handlers[_messages.FileTransferStartUpload][0]

        def begin(name: str, size: int, parts: int = 1) -> None:
            start(0, _messages.FileTransferStartUpload(button._impl.uuid, name, name, "", parts, size))

        begin("small.urdf", 1000)
        assert not sentences and list(server.gui._current_file_upload_states) == ["small.urdf"]
        begin("huge.urdf", 100_000_000)
        begin("lies.urdf", 1000, parts=10**6)
        for count in range(10):
            begin(f"many_{count}.urdf", 1000)
        assert "'huge.urdf' has 100.0 MB" in sentences[0] and "too many files" in sentences[1]
        assert len(server.gui._current_file_upload_states) == page_server.MOST_UPLOADS


def test_garbage_on_a_connection_ends_that_connection_alone(capfd):
    with served() as server:
        with opened(server) as connection:
            connection.recv()
            connection.send(json.dumps({"type": "nonsense"}).encode())
            with contextlib.suppress(Exception):
                while connection.recv(timeout=5):
                    pass
        assert get(server).status == 200
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_server_that_would_not_keep_the_rules_is_not_opened(monkeypatch):
    monkeypatch.setattr(page_server, "_guarded", lambda rules: contextlib.nullcontext())
    with pytest.raises(HdError, match="not one that the page knows how to guard"), served():
        pass


def test_starting_says_nothing_of_its_own(capsys):
    with served():
        pass
    assert capsys.readouterr() == ("", "")
