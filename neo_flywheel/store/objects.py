"""Content-addressed objects in a folder or on S3, through ``obstore``.

    store = ObjectStore("runs/flywheel/objects")            # or "s3://bucket/prefix", {"endpoint": "http://…"}
    digest = store.put(file)                                # sha256; goes on where it was cut off
    store.get(digest, other_file)

A file lies there as parts of ``part_size`` bytes, each under the hash of what it holds, and a list of them
that is written last:

    parts/ab/abcd…            bytes
    objects/12/1234….json     {"size": bytes, "parts": [sha256, …]}

A part that is there is not sent again, be it from an upload that was killed, from another process or of
another file. Two writers of a key write the same bytes, so nothing here asks the server for exclusion: some
servers ignore conditions on PUT.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from neo_description.errors import NeoError
from neo_flywheel import addresses, files

PART_SIZE = 8 * 2**20  # bytes
SETTINGS = {"endpoint": "endpoint", "region": "region"}  # ours → obstore's
Progress = Callable[[int, int], None]  # bytes dealt with, of


def _quiet(done: int, size: int) -> None:
    pass


class ObjectStore:
    """``url``: a folder, or ``s3://bucket/prefix``; ``settings`` of S3: ``endpoint``, ``region``.

    Credentials are never among the settings: they come from the environment (``AWS_ACCESS_KEY_ID``, …). An
    endpoint ``http://…`` is talked to in the clear and with the bucket in the path.
    """

    def __init__(
        self, url: str | Path, settings: Mapping[str, str] | None = None, part_size: int = PART_SIZE
    ):
        for address in (str(url), (settings or {}).get("endpoint", "")):
            addresses.check(
                address, "object store", "they belong into the environment (AWS_ACCESS_KEY_ID, …)"
            )
        self.url, self.part_size, self.sent = str(url), part_size, 0  # sent: bytes since it was made
        self._folder: Path | None = None
        with self._errors("open"):
            if self.url.startswith("s3://"):
                self._store: Any = _s3(self.url, dict(settings or {}))
            elif "://" in self.url:
                raise NeoError(f"object store {self.url}; a folder or s3://bucket/prefix is allowed")
            else:
                self._folder = Path(self.url).resolve()
                self._store = LocalStore(self._folder, mkdir=True)

    def put(self, file: Path, progress: Progress = _quiet) -> str:
        """The sha256 of ``file``, which is there when this returns. NeoError when it cannot be."""
        size, done, whole, parts = file.stat().st_size, 0, hashlib.sha256(), []
        with file.open("rb") as stream:
            while data := stream.read(self.part_size):
                whole.update(data)
                parts.append(self._put_part(data))
                done += len(data)
                progress(done, max(size, done))
        return self._finish(whole.hexdigest(), done, parts)

    def put_bytes(self, data: bytes) -> str:
        """The sha256 of ``data``, which is there when this returns."""
        parts = [self._put_part(data[i : i + self.part_size]) for i in range(0, len(data), self.part_size)]
        return self._finish(hashlib.sha256(data).hexdigest(), len(data), parts)

    def has(self, digest: str) -> bool:
        """Whether the object is there as a whole."""
        return self._size(_object(digest)) is not None

    def size(self, digest: str) -> int:
        """Bytes of an object; NeoError when it is not there."""
        return self._list(digest)["size"]

    def get(self, digest: str, file: Path, progress: Progress = _quiet) -> None:
        """The object as ``file``, checked part by part; goes on with what a killed call left behind.

        NeoError when the object is not there, or not what its name says.
        """
        about = self._list(digest)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial, whole, done = file.with_name(f"{file.name}.partial"), hashlib.sha256(), 0
        with open(partial, "r+b" if partial.exists() else "w+b") as out:
            for part in about["parts"]:
                data = out.read(min(self._part_size(about), about["size"] - done))
                if hashlib.sha256(data).hexdigest() != part:
                    data = self._read(_part(part))
                    if hashlib.sha256(data).hexdigest() != part:
                        raise NeoError(
                            f"{self.url}: part {part} of {digest} holds other bytes than it should"
                        )
                    out.seek(done)
                    out.write(data)
                whole.update(data)
                done += len(data)
                progress(done, about["size"])
            out.truncate(done)
            out.flush()
            os.fsync(out.fileno())
        if whole.hexdigest() != digest:
            raise NeoError(f"{self.url}: {digest} is put together of other parts than it should")
        partial.replace(file)

    def get_bytes(self, digest: str) -> bytes:
        """The object; NeoError as in :meth:`get`."""
        data = b"".join(self._read(_part(part)) for part in self._list(digest)["parts"])
        if hashlib.sha256(data).hexdigest() != digest:
            raise NeoError(f"{self.url}: {digest} holds other bytes than it should")
        return data

    def _put_part(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if self._size(_part(digest)) != len(data):
            self._write(_part(digest), data)
        return digest

    def _finish(self, digest: str, size: int, parts: list[str]) -> str:
        about = json.dumps({"size": size, "part_size": self.part_size, "parts": parts}).encode()
        if not self.has(digest):
            self._write(_object(digest), about)
        return digest

    def _list(self, digest: str) -> dict[str, Any]:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise NeoError(f"{digest!r} names no object; a sha256 of 64 digits does")
        about = json.loads(self._read(_object(digest)))
        return about

    def _part_size(self, about: dict[str, Any]) -> int:
        return about["part_size"]

    def _size(self, key: str) -> int | None:
        with self._errors("look for", key):
            try:
                return obstore.head(self._store, key)["size"]
            except FileNotFoundError:
                return None

    def _read(self, key: str) -> bytes:
        with self._errors("read", key):
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                raise NeoError(f"{self.url} holds no {key}") from None

    def _write(self, key: str, data: bytes) -> None:
        with self._errors("write", key):
            obstore.put(self._store, key, data, mode="overwrite", use_multipart=False)
        self.sent += len(data)
        if self._folder is not None:
            files.sync_file(self._folder / key)
            files.sync_folder((self._folder / key).parent)

    @contextmanager
    def _errors(self, what: str, key: str = "") -> Any:
        try:
            yield
        except NeoError:
            raise
        except (PermissionDeniedError, UnauthenticatedError):  # a server's own words may hold the key
            raise NeoError(
                f"cannot {what} {key and key + ' in '}{self.url}: the server does not let us; "
                "are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY those of somebody who may?"
            ) from None
        except (BaseError, OSError) as error:
            said = " ".join(str(error).split())[:300]
            raise NeoError(f"cannot {what} {key and key + ' in '}{self.url}: {said}") from None


def _s3(url: str, settings: dict[str, str]) -> S3Store:
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise NeoError(f"object store: setting {', '.join(sorted(unknown))}; one of {', '.join(SETTINGS)}")
    config = {SETTINGS[name]: value for name, value in settings.items()}
    plain = settings.get("endpoint", os.environ.get("AWS_ENDPOINT_URL", "")).startswith("http://")
    options: Any = {"timeout": "60s", "connect_timeout": "5s", **({"allow_http": True} if plain else {})}
    retry: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
    given: Any = {"virtual_hosted_style_request": False, "region": "us-east-1", **config}
    return S3Store.from_url(url, config=given, client_options=options, retry_config=retry)


def _part(digest: str) -> str:
    return f"parts/{digest[:2]}/{digest}"


def _object(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}.json"
