"""Processes of a pool end with the one that made it, however that ends."""

import os
import signal
import subprocess
import sys
import time

SCRIPT = """
import os, time
from neo_bringup import processes

if __name__ == "__main__":
    with processes.pool(2) as pool:
        print(*{future.result() for future in [pool.submit(os.getpid) for _ in range(20)]}, flush=True)
        pool.submit(time.sleep, 600).result()
"""


def test_a_killed_parent_leaves_no_worker_behind(tmp_path):
    (tmp_path / "work.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([".", *sys.path])}
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "work.py"], stdout=subprocess.PIPE, text=True, env=environment
    )
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert workers
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20.0
    while any(_runs(pid) for pid in workers):
        assert time.monotonic() < deadline, f"of {workers} some still run"
        time.sleep(0.05)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
