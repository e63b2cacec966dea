"""Where a robot reads a repository: a folder, or a server of files over http(s).

Nothing that comes from here is believed: :mod:`neo_flywheel.update.trust` checks metadata, and a file counts
when its length and hash are those that were signed.
"""

from __future__ import annotations

import contextlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface
from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher

from neo_description.errors import NeoError, RefusedError
from neo_flywheel import addresses, files
from neo_flywheel.update.manifest import Content

BLOCK = 1 << 16  # bytes
TIMEOUT = 10.0  # s without a byte
TRIES = 5  # downloads in a row that brought nothing new
SLOWEST, GRACE = 2000.0, 60.0  # bytes/s a file must come with on the whole, after so many s
Progress = Callable[[str], None]


class UntrustedError(RefusedError):
    """What a source says or gives is not believed."""


class _FolderFetcher(FetcherInterface):
    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            stream = Path(url).open("rb")  # noqa: SIM115 (the generator closes it)
        except OSError as error:
            raise DownloadHTTPError(f"{url}: {error.strerror}", 404) from None
        return _blocks(stream)


def _blocks(stream: contextlib.AbstractContextManager[Any]) -> Iterator[bytes]:
    """What is there, without waiting for a whole block."""
    with stream as opened:
        while block := opened.read1(BLOCK):
            yield block


def is_web(source: str) -> bool:
    """Whether ``source`` is an address, not a folder."""
    return source.startswith(("http://", "https://"))


def check_address(source: str) -> None:
    """NeoError when a name or password stands in it."""
    addresses.check(source, "source of updates", "updates are signed, and need none")


def fetcher(source: str) -> FetcherInterface:
    """That python-tuf reads metadata with; NeoError as in :func:`check_address`."""
    check_address(source)
    return Urllib3Fetcher(socket_timeout=int(TIMEOUT)) if is_web(source) else _FolderFetcher()


@contextlib.contextmanager
def _opened(source: str, path: str, at: int) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Where the stream really starts (``at``, or 0 where the source knows no ranges), and its blocks."""
    if not is_web(source):
        with (Path(source) / path).open("rb") as stream:
            stream.seek(at)
            yield at, _blocks(stream)
        return
    request = urllib.request.Request(f"{source.rstrip('/')}/{path}")  # noqa: S310 (is_web: never another scheme)
    if at:
        request.add_header("Range", f"bytes={at}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        here = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {at}-")
        yield at if here else 0, _blocks(answer)


def download(source: str, path: str, to: Path, wanted: Content, progress: Progress, name: str = "") -> None:
    """``source/path`` in the file ``to``, whole and checked.

    ``name``: what people are told is fetched; the path by default. NeoError: it does not come;
    UntrustedError: it is other than signed.

    What an earlier try brought lies in ``to.part`` and is gone on with. Never more than ``wanted.length``
    bytes are taken.
    """
    if wanted.holds(to):
        return
    part = to.with_name(f"{to.name}.part")
    part.touch()
    old = part.stat().st_size
    if old > wanted.length:
        old = 0
        os.truncate(part, 0)
    had, idle, end = old, 0, time.monotonic() + GRACE + wanted.length / SLOWEST
    while had < wanted.length:
        trouble = _go_on(
            source, path, part, wanted.length, end, lambda at: progress(f"get {name or path}: {at}")
        )
        now = part.stat().st_size
        idle = idle + 1 if now <= had else 0
        had = now
        if had < wanted.length and (idle >= TRIES or time.monotonic() > end):
            raise NeoError(
                f"{source}/{path} stops at {had} of {wanted.length} bytes: {trouble or 'it ends there'}"
            )
    files.sync_file(part)
    if wanted.holds(part):
        os.replace(part, to)
        files.sync_folder(to.parent)
        progress(f"have {name or path}")
        return
    part.unlink()
    if old:  # an earlier try may have left what a power cut spoilt: from the start, once
        return download(source, path, to, wanted, progress, name)
    raise UntrustedError(f"{source}/{path} is not what was signed: its hash is another")


def _go_on(source: str, path: str, part: Path, length: int, end: float, progress: Progress) -> str:
    """Appends to ``part`` up to ``length`` or the time ``end``; what went wrong on the way, in words."""
    had = part.stat().st_size if part.exists() else 0
    try:
        with _opened(source, path, had) as (at, blocks), part.open("r+b" if had else "wb") as stream:
            stream.truncate(at)
            stream.seek(at)
            for block in blocks:
                stream.write(block[: length - at])
                at += len(block)
                progress(f"{min(at, length)} of {length} bytes")
                if at >= length:
                    break
                if time.monotonic() > end:
                    return "too slow"
    except (OSError, urllib.error.URLError) as error:
        return str(error)
    return ""
