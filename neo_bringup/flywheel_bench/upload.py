"""Uploads one file, as a process that may be killed: a line a part, at the end digest and bytes sent.

python -m neo_bringup.flywheel_bench.upload URL ENDPOINT FILE PART_SIZE
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from neo_bringup.flywheel_bench import s3
from neo_flywheel.store.objects import ObjectStore


def start(url: str, endpoint: str, file: Path, part_size: int) -> subprocess.Popen[str]:
    """The process; its lines are on ``stdout``."""
    command = [sys.executable, "-m", __name__, url, endpoint, str(file), str(part_size)]
    environment = {**os.environ, **s3.CREDENTIALS}
    return subprocess.Popen(
        command, cwd=Path(__file__).parents[2], env=environment, stdout=subprocess.PIPE, text=True
    )


def killed(process: subprocess.Popen[str], rng: random.Random, parts: int) -> bool:
    """Kills it at a random moment after a random part; False when it was done before."""
    assert process.stdout is not None
    for _ in range(rng.randrange(parts)):
        process.stdout.readline()
    time.sleep(rng.random() * 0.01)  # s: into the middle of what it does next
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def finished(process: subprocess.Popen[str]) -> tuple[str, int]:
    """Digest and bytes sent of one that is let go on."""
    lines = process.communicate()[0].split()
    return lines[-2], int(lines[-1])


def main(url: str, endpoint: str, file: str, part_size: str) -> None:
    store = ObjectStore(url, {"endpoint": endpoint}, int(part_size))
    digest = store.put(Path(file), lambda done, _: print("at", done, flush=True))
    print(digest, store.sent, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
