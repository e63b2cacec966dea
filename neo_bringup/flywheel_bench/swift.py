"""OpenStack Swift with its s3api, as a store of one disk on this machine: for measures and tests.

Debian: ``apt install --no-install-recommends swift-proxy swift-account swift-container swift-object``. Its
four servers run as processes of ours, from configurations in a folder of their own.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neo_bringup.flywheel_bench.s3 import CREDENTIALS
from neo_description.errors import NeoError

STORES = ("account", "container", "object")
STARTS = 60.0  # s
PROXY = """
[pipeline:main]
pipeline = catch_errors healthcheck cache listing_formats s3api tempauth copy slo proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
"""
PLAIN = {"catch_errors": "catch_errors", "healthcheck": "healthcheck", "cache": "memcache", "copy": "copy",
         "listing_formats": "listing_formats", "slo": "slo", "proxy-logging": "proxy_logging"}  # fmt: skip


def there() -> bool:
    """Whether Swift is installed."""
    return all(shutil.which(f"swift-{name}-server") for name in ("proxy", *STORES))


@contextmanager
def server() -> Iterator[str]:
    """The endpoint of a Swift that holds nothing yet; it ends with the block. NeoError: it does not start."""
    with tempfile.TemporaryDirectory(prefix="neo-swift-") as scratch, ExitStack() as running:
        folder, ports = Path(scratch), _free_ports(1 + len(STORES))
        proxy = ports.pop()
        (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = neo\n"
                                           "[storage-policy:0]\nname = one\ndefault = yes\n")  # fmt: skip
        for name, port in zip(STORES, ports, strict=True):
            (folder / "srv" / "disk").mkdir(parents=True, exist_ok=True)
            _ring(folder, name, port)
            own = f"[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n"
            running.enter_context(_started(folder, name, port, own))
        filters = "".join(f"[filter:{name}]\nuse = egg:swift#{egg}\n" for name, egg in PLAIN.items())
        user = CREDENTIALS["AWS_ACCESS_KEY_ID"].replace(":", "_")
        own = PROXY.format(user=user, secret=CREDENTIALS["AWS_SECRET_ACCESS_KEY"]) + filters
        process = running.enter_context(_started(folder, "proxy", proxy, own))
        _wait(process, f"http://127.0.0.1:{proxy}/healthcheck", folder / "proxy.log")
        yield f"http://127.0.0.1:{proxy}"


def _ring(folder: Path, name: str, port: int) -> None:
    builder = str(folder / f"{name}.builder")
    place = f"r1z1-127.0.0.1:{port}/disk"
    for words in (["create", "4", "1", "0"], ["add", place, "1"], ["rebalance"]):
        subprocess.run(["swift-ring-builder", builder, *words], check=True, capture_output=True)


@contextmanager
def _started(folder: Path, name: str, port: int, own: str) -> Iterator[subprocess.Popen[bytes]]:
    conf = folder / f"{name}.conf"
    conf.write_text(
        f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\nuser = {getpass.getuser()}\n"
        f"swift_dir = {folder}\ndevices = {folder / 'srv'}\nmount_check = false\nlog_address =\n{own}"
    )
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([f"swift-{name}-server", str(conf), "-v"], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5.0):  # noqa: S310 (our own, on loopback)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise NeoError(f"Swift does not start: {' '.join(log.read_text(errors='replace').split())[-400:]}")


def _free_ports(n: int) -> list[int]:
    with ExitStack() as open_:
        sockets = [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [one.getsockname()[1] for one in sockets]
