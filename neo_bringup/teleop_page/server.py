"""Serves the page and its WebSocket, in a thread of its own, to whom the console's gate lets in.

Each connection is a device (``neo_teleop/devices/page.py``) on the desk. What it refuses is answered with the
reason; the robot's state goes to every page whenever :meth:`PageServer.push` is called.
"""

from __future__ import annotations

import asyncio
import http
import itertools
import json
import socket
import threading
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from neo_bringup.console.gate import Gate
from neo_bringup.teleop_page.fingers import Retargeting
from neo_description.errors import NeoError
from neo_hand_control.grasps import grasps
from neo_teleop import consent
from neo_teleop.desk import Desk
from neo_teleop.devices import gamepad, keyboard
from neo_teleop.devices.page import LONGEST, PageDevice

SITE = Path(__file__).with_name("site")
SOCKET = "/ws"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
# nothing from elsewhere
OWN = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
SECONDS = 5.0  # of wall time for the server to start or stop


class PageServer:
    """At ``port`` (0: any free one) of the gate's host; NeoError when it is taken.

    ``late`` as in :class:`PageDevice`.
    """

    def __init__(self, gate: Gate, port: int, desk: Desk, late: float):
        self._gate, self._desk, self._late = gate, desk, late
        self._pages: set[ServerConnection] = set()
        self._names = itertools.count(1)
        self._fingers = Retargeting()
        self._loop = asyncio.new_event_loop()
        self._files = {f"/{f.name}": f for f in SITE.iterdir() if f.suffix in KINDS}
        self._files["/"] = SITE / "index.html"
        self._thread = threading.Thread(target=self._loop.run_forever, name="teleop page", daemon=True)
        self._thread.start()
        try:
            self._server = self._wait(self._start(port))
        except OSError as error:
            self._end()
            raise NeoError(
                f"teleop: port {port} on {gate.host} cannot be used ({error.strerror}); "
                "another `neo teleop` may run there, or choose another port (0: any free one)"
            ) from None
        except NeoError:
            self._end()
            raise

    @property
    def address(self) -> str:
        """What to type into a browser."""
        return self._gate.address(self.port)

    def push(self) -> None:
        """Send the desk's status to every page; from any thread, returns at once."""
        text = json.dumps({"kind": "status", **self._desk.status})
        self._loop.call_soon_threadsafe(lambda: broadcast(self._pages, text))

    def push_picture(self, jpeg: bytes) -> None:
        """Send a picture to every page that keeps up; from any thread, returns at once."""
        self._loop.call_soon_threadsafe(self._broadcast_picture, jpeg)

    def _broadcast_picture(self, jpeg: bytes) -> None:
        ready = [page for page in self._pages if not page.transport.get_write_buffer_size()]
        broadcast(ready, jpeg)

    def close(self) -> None:
        """Close all connections and the port; sessions of pages end."""
        self._server.close()
        self._wait(self._server.wait_closed())
        self._end()

    async def _start(self, port: int) -> Any:
        # the gate lets in by the port, so that is chosen first
        family = socket.AF_INET6 if ":" in self._gate.host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self._gate.host, port))
            self.port = int(listening.getsockname()[1])
            return await serve(
                self._talk, sock=listening, max_size=LONGEST,
                process_request=self._gate.guarded(self._file, self.port),
                origins=self._gate.origins(self.port),
                ssl=None if self._gate.access is None else self._gate.access.tls(),
            )  # fmt: skip
        except (OSError, NeoError):
            listening.close()
            raise

    def _file(self, connection: ServerConnection, request: Request) -> Response | None:
        path = request.path.split("?")[0]
        if path == SOCKET:
            return None
        file = self._files.get(path)
        if file is None:
            return Response(404, "Not Found", Headers({"Content-Length": "0"}), b"")
        body = file.read_bytes()
        headers = Headers(
            {"Content-Type": f"{KINDS[file.suffix]}; charset=utf-8", "Content-Length": str(len(body)),
             "Cache-Control": "no-store", "Content-Security-Policy": OWN, "X-Content-Type-Options": "nosniff"}
        )  # fmt: skip
        return Response(http.HTTPStatus.OK, "OK", headers, body)

    async def _talk(self, connection: ServerConnection) -> None:
        device = PageDevice(f"page {next(self._names)}", self._desk, self._late, self._fingers)
        self._pages.add(connection)
        try:
            await connection.send(json.dumps(self._hello(device.name)))
            async for message in connection:
                try:
                    device.receive(message if isinstance(message, str) else "")
                except NeoError as error:
                    await connection.send(json.dumps({"kind": "refused", "reason": str(error)}))
        except ConnectionClosed:
            pass
        finally:
            self._pages.discard(connection)
            device.closed()

    def _hello(self, name: str) -> dict[str, Any]:
        return {
            "kind": "hello", "name": name, "consent": {"id": consent.ID, "words": consent.WORDS},
            "keys": keyboard.HELP, "pad": gamepad.HELP, "grasps": sorted(grasps()),
        }  # fmt: skip

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        if not self._loop.is_running():
            self._loop.close()
