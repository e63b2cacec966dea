"""Who gets through to the console: the right host name, the right page, the right token.

Without an :class:`~neo_bringup.console.access.Access` the console is this machine's alone, and every program
here may use it, as it may use the robot's topics. With one, what is asked must come by TLS; who shows the
token, in a header and never in an address, gets a cookie; who has none may at most watch.
"""

from __future__ import annotations

import hmac
import http
import ipaddress
import re
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Origin

from neo_bringup.console.access import Access
from neo_description.errors import NeoError

HOST = "127.0.0.1"
LOGIN, COOKIE = "/login", "neo_console"
Handler = Callable[[ServerConnection, Request], Any]
LOGIN_PAGE = """<!doctype html><meta charset="utf-8"><title>NEO</title>
<style>body{font:16px sans-serif;margin:4em auto;max-width:28em}
input{width:100%;font:inherit;margin:.5em 0}</style>
<form><label>Token of this console <input type="password" autocomplete="off" autofocus></label>
<button>Open</button> <output></output></form>
<script>
document.forms[0].onsubmit = async (event) => {
  event.preventDefault();
  const token = document.querySelector("input").value.trim();
  const answer = await fetch("/login", {headers: {Authorization: "Bearer " + token}});
  if (answer.ok) location.replace("/"); else document.querySelector("output").textContent = "not this one";
};
</script>
"""


class Gate:
    """Of the console at ``host``. NeoError: beyond this machine without ``access``.

    ``open_watching``: who has no token may watch.
    """

    def __init__(self, host: str = HOST, access: Access | None = None, open_watching: bool = False):
        if not is_loopback(host) and access is None:
            raise NeoError(
                f"console on {host}: beyond this machine it needs a certificate and a token; "
                "`neo access create FOLDER --name HOST` makes them, --access FOLDER takes them"
            )
        self.host, self.access, self._open_watching = host, access, open_watching

    def origins(self, port: int) -> list[Origin | None]:
        """Of pages that may open a connection. ``None`` stands for programs, which send none."""
        scheme = "https" if self.access else "http"
        return [*(Origin(f"{scheme}://{name}") for name in self._names(port)), None]

    def address(self, port: int) -> str:
        """What to type into a browser."""
        return f"{'https' if self.access else 'http'}://{self._names(port)[0]}"

    def _names(self, port: int) -> list[str]:
        names = self.access.names if self.access else (HOST, "localhost")
        bare = [f"[{name}]" if ":" in name else name for name in names]
        usual = port == (443 if self.access else 80)  # which browsers leave out
        return bare if usual else [f"{name}:{port}" for name in bare]

    def commands(self, headers: Headers) -> bool:
        """Whether who sent these may press buttons."""
        return self.access is None or hmac.compare_digest(_cookie(headers), self.access.cookie())

    def guarded(self, handle: Handler, port: int) -> Handler:
        """``handle`` for those who may look; other requests, WebSockets too, are answered here."""

        def process(connection: ServerConnection, request: Request) -> Any:
            names = request.headers.get_all("Host")
            if len(names) != 1 or names[0] not in self._names(port):  # a name that was made to lead here
                return _answer(http.HTTPStatus.MISDIRECTED_REQUEST, "this console has another name\n")
            if self.access is None:
                return handle(connection, request)
            if request.path == LOGIN:
                return self._login(self.access, request)
            if self.commands(request.headers) or self._open_watching:
                return handle(connection, request)
            if request.headers.get("Upgrade"):
                return _answer(http.HTTPStatus.UNAUTHORIZED, "token needed\n")
            return _answer(http.HTTPStatus.UNAUTHORIZED, LOGIN_PAGE, "text/html; charset=utf-8")

        return process

    def _login(self, access: Access, request: Request) -> Response:
        shown = re.fullmatch(r"Bearer ([\w.~+/=-]{1,512})", request.headers.get("Authorization", ""))
        if shown is None:
            return _answer(http.HTTPStatus.OK, LOGIN_PAGE, "text/html; charset=utf-8")
        if not access.opens(shown[1]):
            return _answer(http.HTTPStatus.UNAUTHORIZED, "not the token\n")
        cookie = f"{COOKIE}={access.cookie()}; Path=/; HttpOnly; Secure; SameSite=Strict"
        return _answer(http.HTTPStatus.OK, "welcome\n", cookie=cookie)


def is_loopback(host: str) -> bool:
    """Whether ``host`` is an address of this machine that nobody else reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cookie(headers: Headers) -> str:
    for line in headers.get_all("Cookie"):
        try:
            if found := SimpleCookie(line).get(COOKIE):
                return found.value if found.value.isascii() else ""
        except CookieError:
            continue
    return ""


def _answer(status: http.HTTPStatus, text: str, kind: str = "text/plain", cookie: str = "") -> Response:
    body = text.encode()
    headers = Headers(
        {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store",
         "X-Frame-Options": "DENY", "Connection": "close"}
    )  # fmt: skip
    if cookie:
        headers["Set-Cookie"] = cookie
    return Response(status, status.phrase, headers, body)
