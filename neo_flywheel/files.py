"""Files that are whole after a power cut: written beside, synced, then renamed over."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from neo_description.errors import NeoError

LOCK_WAIT = 0.5  # s for what holds a lock no longer than it takes to start


def sync_folder(folder: Path) -> None:
    """What was renamed, made or removed in ``folder`` is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(file: Path) -> None:
    """The content of ``file`` is on the disk."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def write(file: Path, content: bytes, mode: int = 0o644) -> None:
    """``file`` has the old content or ``content``, never a part of it. ``mode`` from its first moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(new, file)
    sync_folder(file.parent)


def write_json(file: Path, content: Any) -> None:
    """``content`` as JSON; see :func:`write`."""
    write(file, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def read_json(file: Path, what: str) -> Any:
    """The JSON in ``file``; NeoError when it is not there or is none."""
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        raise NeoError(f"{what}: no file {file}") from None
    except (OSError, ValueError) as error:
        raise NeoError(f"{what}: {file} cannot be read: {error}") from None


def sha256(file: Path) -> str:
    """Of the content, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def lock(folder: Path, what: str) -> Iterator[None]:
    """One process at a time works on ``folder``; NeoError when another does. The kernel frees it at death.

    A process that is being started holds a copy of the open file until it runs a program of its own; so
    a lock that was just left may look taken for a moment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as stream:
        deadline = time.monotonic() + LOCK_WAIT
        while not _locks(stream):
            if time.monotonic() > deadline:
                raise NeoError(f"another process works on the {what} in {folder}; try again when it is done")
            time.sleep(0.01)
        yield


def _locks(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
