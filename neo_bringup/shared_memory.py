"""Fast DDS shared memory that nobody owns any more: what ``kill -9`` leaves in ``/dev/shm``.

Every segment and port NAME has a lock file ``NAME_el`` (exclusive) or ``NAME_sl`` (shared) that its living
users keep flocked, as ``fastdds shm clean`` relies on; a lock that can be taken has no living user.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from pathlib import Path

SHM = Path("/dev/shm")
YOUNG = 0.5  # s: a file this young may not have been locked by its maker yet
LOCK = re.compile(r"((?:fastdds|fastrtps)_(?:port\d{1,5}|[0-9a-f]{16}))_[es]l")


def clean(folder: Path = SHM, young: float = YOUNG) -> list[str]:
    """Removes ownerless segments and ports of this user; their names, without the helper files."""
    locks: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if match := LOCK.fullmatch(file.name):
            locks.setdefault(match[1], []).append(file)
    removed = []
    for name, files in locks.items():
        if all(_ownerless(lock, young) for lock in files):
            for file in (folder / name, folder / f"sem.{name}_mutex", *files):
                file.unlink(missing_ok=True)
            removed.append(name)
    return removed


def _ownerless(lock: Path, young: float) -> bool:
    try:
        status = lock.stat()
        if status.st_uid != os.getuid() or time.time() - status.st_mtime < young:
            return False
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def used_by(pid: int) -> set[str]:
    """Names of the segments and ports that process ``pid`` has mapped."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return set()
    return {Path(line.split()[-1]).name for line in lines if re.search(r"/dev/shm/(fastdds|fastrtps)_", line)}
