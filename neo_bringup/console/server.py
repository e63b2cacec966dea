"""A viser server that only this machine's own browser pages can talk to.

viser trusts whoever reaches its port, takes the next port when its own is taken, and can open a tunnel
to an outside host on a client's request. A page that moves a robot must do none of that: this one binds to
loopback, refuses web pages of other origins, has no tunnel, and says so when the port is taken.
"""

from __future__ import annotations

import contextlib
import functools
import io
import socket
from collections.abc import Iterator
from unittest import mock

import viser
import websockets.asyncio.server
from viser import _messages
from websockets.typing import Origin

from neo_description.errors import NeoError

HOST = "127.0.0.1"


def _free_port(port: int) -> int:
    """``port`` if nobody listens there (0: one that the system chooses); NeoError otherwise."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise NeoError(
                f"console: port {port} on {HOST} cannot be used ({error.strerror}); "
                f"look at http://{HOST}:{port}, or choose another port (0: any free one)"
            ) from None
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _only_origins(origins: list[Origin | None]) -> Iterator[None]:
    """viser's web server, started inside, refuses a WebSocket from a page of any other origin.

    ``None`` stands for programs, which send no origin; a browser always sends one.
    """
    serve = functools.partial(websockets.asyncio.server.serve, origins=origins)
    with mock.patch.object(websockets.asyncio.server, "serve", serve):
        yield


def _drop_tunnel(server: viser.ViserServer) -> None:
    """Forget viser's handlers for the messages by which a page asks for a public tunnel."""
    handlers = server._websock_server._incoming_handlers
    for message in (_messages.ShareUrlRequest, _messages.ShareUrlDisconnect):
        handlers.pop(message, None)


def start(port: int, title: str) -> viser.ViserServer:
    """Start the server on loopback at ``port`` (0: any free one); NeoError when it is taken."""
    port = _free_port(port)
    origins = [Origin(f"http://{host}:{port}") for host in (HOST, "localhost")]
    with _only_origins([*origins, None]), contextlib.redirect_stdout(io.StringIO()):
        server = viser.ViserServer(host=HOST, port=port, label=title, verbose=False)
    if server.get_port() != port:
        stop(server)
        raise NeoError(f"console: port {port} on {HOST} was taken meanwhile; start again or choose another")
    _drop_tunnel(server)
    server.gui.configure_theme(
        control_width="medium", show_logo=False, show_share_button=False, brand_color=(58, 96, 128)
    )
    return server


def stop(server: viser.ViserServer) -> None:
    """Close all pages' connections and the port."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


def address(server: viser.ViserServer) -> str:
    """What to type into a browser."""
    return f"http://{HOST}:{server.get_port()}"
