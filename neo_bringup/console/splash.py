"""What a browser paints before the page's program has started: who this is, and where STOP is meanwhile.

viser's page is empty until about a megabyte of program was unpacked and run. Its root element is emptied by
that program, so what stands in it until then vanishes by itself.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

from websockets.http11 import Request, Response

PROGRAM = re.compile(rb"<script data-p=.*?</script>(?=</head>)", re.DOTALL)
ROOT = b'<div id="root"></div>'
SPLASH = (
    b'<div id="root"><div style="font:16px/1.5 system-ui,sans-serif;color:#28323c;padding:24px" '
    b'data-splash><b style="font-size:22px">NEO</b><br>The page is loading. Until it is there: '
    b"<code>neo stop</code>, or the robot's own switch.</div></div>"
)


def with_splash(page: bytes) -> bytes:
    """``page`` of viser, first what is painted, then the program; as it is where either is not found."""
    program = PROGRAM.search(page)
    if program is None or ROOT not in page:
        return page
    body = page[program.end() :].replace(ROOT, SPLASH + program[0])
    return page[: program.start()] + body


def splashed(handle: Callable[[Any, Request], Response | None]) -> Callable[[Any, Request], Response | None]:
    """``handle`` of viser's web server, with the splash in its page; other answers stay as they are."""
    made: dict[bytes, bytes] = {}

    def process(connection: Any, request: Request) -> Response | None:
        answer = handle(connection, request)
        if answer is None or request.path.partition("?")[0] not in ("/", "/index.html") or not answer.body:
            return answer
        body = bytes(answer.body)
        if body not in made:
            made.clear()
            packed = answer.headers.get("Content-Encoding") == "gzip"
            page = gzip.decompress(body) if packed else body
            page = with_splash(page)
            made[body] = gzip.compress(page) if packed else page
        answer.body = made[body]
        del answer.headers["Content-Length"]
        answer.headers["Content-Length"] = str(len(answer.body))
        return answer

    return process
