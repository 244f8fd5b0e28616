"""Who may open the operator's page: rules on addresses, origins and tokens. Needs neither ROS nor a web server."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from hd_controller.errors import HdError

SHORTEST_TOKEN = 16
LONGEST_TOKEN = 200
HEADERS = {
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Sent with the page: no other page may show it in a frame and have its buttons clicked; its address goes nowhere."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of one request."""

    refusal: str = ""
    """One sentence for the browser, answered with status 403; empty: let in."""
    cookie: str = ""
    """Value of Set-Cookie, so that the page's own connection comes with the token; empty: none."""


@dataclass(frozen=True)
class AccessRules:
    """Without a token, programs of this computer alone may connect, and browsers on pages of this very server."""

    token: str = ""

    def judge(self, path: str, headers: Mapping[str, str], port: int) -> Verdict:
        """Verdict on a request, of HTTP or to open a WebSocket.

        Args:
            path: path and query of the request line.
            headers: by name; looked up as Host, Origin and Cookie.
            port: that of the server, which is part of the cookie's name.
        """
        host = headers.get("Host", "")
        if not self.token and not is_loopback(_host_name(host)):
            return Verdict(f"This page answers to localhost alone, not to '{host[:100]}'.")
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return Verdict("This page takes no connections from pages of another site.")
        if not self.token:
            return Verdict()
        name = f"hd_operator_{port}"
        if self._is_token(_cookie(headers.get("Cookie", ""), name)):
            return Verdict()
        if self._is_token(parse_qs(urlsplit(path).query).get("token", [""])[0]):
            return Verdict(cookie=f"{name}={self.token}; Path=/; HttpOnly; SameSite=Strict")
        return Verdict("This page needs its token: open the address with ?token=... that was printed at its start.")

    def _is_token(self, text: str) -> bool:
        """Compare in a time that says nothing about the token."""
        return hmac.compare_digest(text.encode(), self.token.encode())


def rules_for(host: str, token_file: str) -> AccessRules:
    """The rules of a server that listens at `host`.

    Anything but a loopback address takes a token: that in `token_file`, or else a new one. Raises HdError for a file
    that cannot be read or holds no token.
    """
    if token_file:
        return AccessRules(read_token(Path(token_file).expanduser()))
    return AccessRules("" if is_loopback(host) else secrets.token_urlsafe(18))


def read_token(path: Path) -> str:
    """The token in a file of one line; raises HdError."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise HdError(f"the token file {path} cannot be read: {problem}") from None
    if not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN or not all(c.isalnum() or c in "-_." for c in token):
        raise HdError(f"the token file {path} must hold one token of {SHORTEST_TOKEN} to {LONGEST_TOKEN} letters, "
                      "digits, '-', '_' or '.'")
    return token


def is_loopback(host: str) -> bool:
    """True for localhost and addresses that reach this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    """The name in a Host header, without port and without the brackets of IPv6."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(header: str, name: str) -> str:
    """The value of a cookie; empty where there is none."""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""
