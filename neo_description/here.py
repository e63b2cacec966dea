"""What figures and weights were made on and of: this machine and this checkout, in words."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def machine() -> str:
    """Processor, cores in use and memory, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_cpuinfo('model name')}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"


def processor() -> str:
    """The kind of processor, and which instructions it has: where both are the same, rounding is, too."""
    able = hashlib.sha256(" ".join(sorted(_cpuinfo("flags").split())).encode()).hexdigest()
    return f"{_cpuinfo('model name')} {able[:12]}"


def _cpuinfo(name: str) -> str:
    """What Linux says of the first processor; the machine's kind elsewhere."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def commit() -> str:
    """The checkout's commit, ``+`` when something differs from it; empty outside a checkout."""
    return _git("describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*").strip()


def changed_code() -> list[str]:
    """Files of rooms and ``config`` that differ from the commit or are new; nothing outside a checkout."""
    lines = _git("status", "--porcelain", "--untracked-files=all", "--", "neo_*", "config").splitlines()
    return [line[3:] for line in lines]


def _git(*words: str) -> str:
    try:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
