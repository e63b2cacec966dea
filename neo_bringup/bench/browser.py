"""A real browser for benchmarks: headless Chromium, which can reach nothing but this machine."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator

import psutil

from neo_description.errors import NeoError

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
SIZE = (1280, 800)  # px
OWN = "127.0.0.1"


def program() -> str:
    """Where the browser is; NeoError when there is none."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise NeoError("no browser here; on Debian: apt-get install chromium")
    return found


@contextlib.contextmanager
def window(address: str) -> Iterator[psutil.Process]:
    """A browser that shows ``address``, with nobody who drives it; it ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        started = subprocess.Popen(
            [program(), *FLAGS, size, f"--user-data-dir={profile}", "--remote-debugging-port=0", address],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        process = psutil.Process(started.pid)
        try:
            yield process
        finally:
            send(process, signal.SIGKILL)
            started.wait()


def send(process: psutil.Process, number: signal.Signals) -> None:
    """``number`` to the browser and all its processes."""
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)
