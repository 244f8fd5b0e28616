"""Where the operator's page is: a free port, and the address to print. Needs no ROS."""

from __future__ import annotations

import errno
import socket

from hd_controller.errors import HdError

TRIED_PORTS = 20


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next one that is free; raises HdError for an address that cannot be listened at."""
    if not 1 <= wanted <= 65535:
        raise HdError(f"parameter port is {wanted}; expected 1 to 65535")
    last = min(wanted + TRIED_PORTS, 65536)
    for port in range(wanted, last):
        problem = _trouble(host, port)
        if problem is None:
            return port
        if problem.errno == errno.EACCES:
            raise HdError(f"port {port} is only for programs of root; choose one above 1023")
        if problem.errno != errno.EADDRINUSE:
            raise HdError(f"the page cannot listen at '{host}': {problem.strerror or problem}; give an address of "
                          "this computer, such as 127.0.0.1 or 0.0.0.0")
    raise HdError(f"ports {wanted} to {last - 1} are all in use; choose another one")


def page_address(host: str, port: int, token: str = "") -> str:
    """The address to open in a browser; for all addresses of a computer, with its host name."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    if ":" in name:
        name = f"[{name}]"
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def _trouble(host: str, port: int) -> OSError | None:
    """What keeps a server from listening there; None: nothing."""
    try:
        for family, kind, protocol, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(place)
                listener.listen(1)
    except (OSError, UnicodeError) as problem:
        return problem if isinstance(problem, OSError) else OSError(str(problem))
    return None
