"""A viser server that lets in whom its gate knows, and obeys whom the gate lets command.

viser trusts whoever reaches its port, takes the next port when its own is taken, and can open a tunnel
to an outside host on a client's request. A page that moves a robot must do none of that: this one binds to
loopback unless it has TLS and a token (:mod:`neo_bringup.console.gate`), refuses web pages of other origins,
drops what those send who may only watch, has no tunnel, and says so when the port is taken.
"""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator
from typing import Any
from unittest import mock

import viser
import websockets.asyncio.server
from viser import _messages

from neo_bringup.console.gate import LOGIN, Gate
from neo_bringup.console.splash import splashed
from neo_description.errors import NeoError

WATCHING = (_messages.ViewerCameraMessage,)  # what those may send who may not command


def _free_port(host: str, port: int) -> int:
    """``port`` if nobody listens there (0: one that the system chooses); NeoError otherwise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NeoError(
                f"console: port {port} on {host} cannot be used ({error.strerror}); "
                f"look at http://{host}:{port}, or choose another port (0: any free one)"
            ) from None
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _behind(gate: Gate, port: int) -> Iterator[None]:
    """viser's web server, started inside, answers only whom ``gate`` lets in."""
    serve = websockets.asyncio.server.serve

    def guarded(*args: Any, process_request: Any, **options: Any) -> Any:
        if gate.access is not None:
            options["ssl"] = gate.access.tls()
        request = gate.guarded(splashed(process_request), port)
        return serve(*args, origins=gate.origins(port), process_request=request, **options)

    with mock.patch.object(websockets.asyncio.server, "serve", guarded):
        yield


def _obey(server: viser.ViserServer, gate: Gate) -> None:
    """Messages of those who may not command are dropped, but for where they look from."""
    inside = server._websock_server
    handle = inside._handle_incoming_message

    def commands(client_id: Any) -> bool:
        connection = inside._live_connections.get(client_id)
        request = connection.request if connection is not None else None
        return request is not None and gate.commands(request.headers)

    async def handle_some(client_id: Any, message: Any) -> None:
        if isinstance(message, WATCHING) or commands(client_id):
            await handle(client_id, message)

    def tell(client: viser.ClientHandle) -> None:
        if not commands(client.client_id):
            client.add_notification("You are watching", f"The buttons need the token: {LOGIN}")

    inside._handle_incoming_message = handle_some  # type: ignore[method-assign]
    server.on_client_connect(tell)


def _drop_tunnel(server: viser.ViserServer) -> None:
    """Forget viser's handlers for the messages by which a page asks for a public tunnel."""
    handlers = server._websock_server._incoming_handlers
    for message in (_messages.ShareUrlRequest, _messages.ShareUrlDisconnect):
        handlers.pop(message, None)


def start(port: int, title: str, gate: Gate) -> viser.ViserServer:
    """Start the server at ``port`` (0: any free one) of the gate's host; NeoError when it is taken."""
    port = _free_port(gate.host, port)
    if gate.access is not None:
        gate.access.tls()  # its faults are told here, not in viser's thread
    with _behind(gate, port), contextlib.redirect_stdout(io.StringIO()):
        server = viser.ViserServer(host=gate.host, port=port, label=title, verbose=False)
    if server.get_port() != port:
        stop(server)
        raise NeoError(
            f"console: port {port} on {gate.host} was taken meanwhile; start again or choose another"
        )
    _obey(server, gate)
    _drop_tunnel(server)
    server.gui.configure_theme(
        control_width="medium", show_logo=False, show_share_button=False, brand_color=(58, 96, 128)
    )
    return server


def stop(server: viser.ViserServer) -> None:
    """Close all pages' connections and the port."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()
