"""One stack a ROS domain and namespace: a locked file in the runtime folder says that it runs."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

from neo_description.errors import NeoError


def runtime_folder() -> Path:
    """A private folder of this user for locks."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "neo" if base else Path(tempfile.gettempdir()) / f"neo-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NeoError(f"cannot create the runtime folder {folder}: {error.strerror}") from None
    return folder


class InstanceLock:
    """Holds the lock of ``domain`` and ``namespace`` until closed, or until this process ends in any way."""

    def __init__(self, domain: int, namespace: str, folder: Path | None = None):
        name = namespace.strip("/").replace("/", ".") or "root"
        self.path = (folder or runtime_folder()) / f"domain-{domain}-{name}.lock"
        try:
            self._file: IO[str] = self.path.open("a+")
        except OSError as error:
            raise NeoError(f"cannot open the lock {self.path}: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            pid = self._file.read().strip() or "?"
            self._file.close()
            raise NeoError(
                f"a robot already runs in ROS_DOMAIN_ID={domain} namespace /{namespace.strip('/')} (process "
                f"{pid}): stop it, or give namespace:=NAME or another ROS_DOMAIN_ID"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def keep_through_exec(self) -> None:
        """The lock stays with this process when it becomes another program."""
        os.set_inheritable(self._file.fileno(), True)

    def close(self) -> None:
        self._file.close()


def claim_free_domain(
    first: int = 10, last: int = 101, folder: Path | None = None
) -> tuple[int, InstanceLock]:
    """A ROS_DOMAIN_ID that no stack of ours uses, and the claim on it: close it when done.

    Other ROS programs keep no such lock; on a shared machine set ROS_DOMAIN_ID instead.
    """
    folder = folder or runtime_folder()
    for domain in range(first, last + 1):
        try:
            claim = InstanceLock(domain, "claim", folder)
        except NeoError:
            continue
        try:
            InstanceLock(domain, "", folder).close()
        except NeoError:
            claim.close()
            continue
        return domain, claim
    raise NeoError(f"every ROS_DOMAIN_ID from {first} to {last} is in use")
