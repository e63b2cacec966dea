"""Fast DDS shared memory that nobody owns any more: what ``kill -9`` leaves in ``/dev/shm``.

A living user of a segment or port NAME keeps ``NAME_el`` (exclusive) or ``NAME_sl`` (shared) flocked, as
``fastdds shm clean`` relies on, or has it mapped: senders recreate the port of a dead listener without a
lock file, and leave it.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from pathlib import Path

SHM = Path("/dev/shm")  # noqa: S108 (where Fast DDS puts its segments)
YOUNG = 0.5  # s: a file this young may not have been locked and mapped by its maker yet
PART = re.compile(r"((?:fastdds|fastrtps)_(?:port\d{1,5}|[0-9a-f]{16}))(_[es]l)?")


def clean(folder: Path = SHM, young: float = YOUNG, besides: int = 0) -> list[str]:
    """Removes ownerless segments and ports of this user; their names, without the helper files.

    What only the process ``besides`` has mapped is removed too: one that has left the graph keeps the
    segments of dead peers mapped until it ends.
    """
    idle = ownerless(folder, young, besides)
    for name, files in idle.items():
        for file in (*files, folder / f"sem.{name}_mutex"):
            file.unlink(missing_ok=True)
    return sorted(idle)


def ownerless(folder: Path = SHM, young: float = YOUNG, besides: int = 0) -> dict[str, list[Path]]:
    """Segments and ports of this user that no living process uses, with their files."""
    parts: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if match := PART.fullmatch(file.name):
            parts.setdefault(match[1], []).append(file)
    idle = {name for name, files in parts.items() if all(_unlocked(file, young) for file in files)}
    if idle:
        others = (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
        idle -= set().union(*(used_by(pid) for pid in others if pid != besides))
    return {name: parts[name] for name in idle}


def _unlocked(file: Path, young: float) -> bool:
    """Whether the file is ours, no longer young, and nobody holds a lock on it."""
    try:
        status = file.stat()
        if status.st_uid != os.getuid() or time.time() - status.st_ctime < young:
            return False
        with file.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def used_by(pid: int) -> set[str]:
    """Names of the segments and ports that process ``pid`` has mapped; none when it may not be asked."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return set()
    return {match[1] for match in PART.finditer(maps)}
