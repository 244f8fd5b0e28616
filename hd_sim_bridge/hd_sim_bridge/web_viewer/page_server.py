"""A viser server behind the access rules of the operator's page, and with bounds on what browsers send.

viser itself lets in everybody who reaches its port, takes files of any size, and can open a tunnel through which the
page is reached from the internet. This module alone touches what is inside viser to change that, and `open_server`
refuses to serve where a request against the rules would be answered.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import viser
import websockets.asyncio.server
from viser import _messages

from hd_controller.errors import HdError
from hd_sim_bridge.web_viewer.access import HEADERS, AccessRules

MOST_VIEWERS = 16
MOST_UPLOADS = 4
"""Files that are on their way at one time."""
MOST_PARTS = 8
"""A browser sends files in parts of half a megabyte."""
LARGEST_MESSAGE = 2_000_000
"""Bytes of one message from a browser."""
SELF_CHECK_S = 5.0


def open_server(rules: AccessRules, host: str, port: int, check_size: Callable[[str, int], None],
                refused: Callable[[str], None]) -> viser.ViserServer:
    """A server at a free port that keeps the rules.

    Args:
        rules: who is let in.
        host: address to listen at.
        port: one that is free; should another program take it meanwhile, the server takes the next one.
        check_size: raises HdError for a file of that name and size, before it is taken.
        refused: gets that sentence, in the server's thread.
    """
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)  # else each refused guest is a traceback
    server = None
    try:
        with _guarded(rules), contextlib.redirect_stdout(io.StringIO()):
            server = viser.ViserServer(host=host, port=port, label="HyperDistill", verbose=False)
        _no_tunnel(server)
        _bounded_uploads(server, check_size, refused)
        _check_guard(host, server.get_port())
    except (AttributeError, AssertionError, KeyError, ValueError) as problem:
        if server is not None:
            close_server(server)
        raise HdError(f"this version of viser ({viser.__version__}) is not one that the page knows how to guard "
                      f"({type(problem).__name__}: {problem}); install viser 1.1") from None
    return server


def close_server(server: viser.ViserServer) -> None:
    """End it; browsers say that the connection is lost."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


@contextlib.contextmanager
def _guarded(rules: AccessRules) -> Iterator[None]:
    """While this lasts, whoever starts a WebSocket server gets one that keeps the rules."""
    serve = websockets.asyncio.server.serve

    def guarded_serve(handler: Any, host: str, port: int, **options: Any) -> Any:
        answer, connections = options.pop("process_request"), set()

        async def counted(connection: Any) -> None:
            connections.add(connection)
            try:
                await handler(connection)
            finally:
                connections.discard(connection)

        def process(connection: Any, request: Any) -> Any:
            verdict = rules.judge(request.path, request.headers, port)
            if verdict.refusal:
                return connection.respond(HTTPStatus.FORBIDDEN, verdict.refusal + "\n")
            if request.headers.get("Upgrade", "").lower() == "websocket":
                full = len(connections) >= MOST_VIEWERS
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many viewers.\n") if full else None
            response = answer(connection, request)
            for name, value in {**HEADERS, **({"Set-Cookie": verdict.cookie} if verdict.cookie else {})}.items():
                response.headers[name] = value
            return response

        return serve(counted, host, port, process_request=process, **{**options, "max_size": LARGEST_MESSAGE})

    websockets.asyncio.server.serve = guarded_serve
    try:
        yield
    finally:
        websockets.asyncio.server.serve = serve


def _no_tunnel(server: viser.ViserServer) -> None:
    """No browser can make the page public."""
    for message in (_messages.ShareUrlRequest, _messages.ShareUrlDisconnect):
        server._websock_server.unregister_handler(message)
    server.gui.configure_theme(show_share_button=False, control_width="large")


def _bounded_uploads(server: viser.ViserServer, check_size: Callable[[str, int], None],
                     refused: Callable[[str], None]) -> None:
    """Files that are too large are not even begun with."""
    accept = server.gui._handle_file_transfer_start
    server._websock_server.unregister_handler(_messages.FileTransferStartUpload, accept)

    def begin(client_id: Any, message: Any) -> None:
        try:
            check_size(str(message.filename), int(message.size_bytes))
            if message.part_count > MOST_PARTS or len(server.gui._current_file_upload_states) >= MOST_UPLOADS:
                raise HdError("too many files at once; try again in a moment")
        except HdError as problem:
            refused(str(problem))
            server._websock_server.queue_message(_messages.FileTransferPartAck(  # else the button waits for ever
                message.source_component_uuid, message.transfer_uuid, message.size_bytes, message.size_bytes))
            return
        accept(client_id, message)

    server._websock_server.register_handler(_messages.FileTransferStartUpload, begin)


def _check_guard(host: str, port: int) -> None:
    """HdError unless a request that no rule allows is refused."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = http.client.HTTPConnection(reachable, port, timeout=SELF_CHECK_S)
    try:
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", "somebody.else.example")
        connection.endheaders()
        status = connection.getresponse().status
    except OSError as problem:
        raise HdError(f"the page's server does not answer at {reachable}:{port} ({problem})") from None
    finally:
        connection.close()
    if status != HTTPStatus.FORBIDDEN:
        raise ValueError(f"a request against the rules was answered with {status}")
