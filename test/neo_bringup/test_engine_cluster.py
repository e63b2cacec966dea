"""A Ray cluster that cannot be reached is an error; one of our own ends with us."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from neo_bringup import engine
from neo_description.errors import NeoError

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os
from neo_bringup import engine

def pid(_):
    return os.getpid()

if __name__ == "__main__":
    with engine.make("ray", 2) as jobs:
        print(*{made for _, made in jobs.map(pid, range(4))}, flush=True)
        list(jobs.map(__import__("time").sleep, [600]))
"""


def test_no_cluster_at_the_address_is_an_error(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(NeoError, match=r"no Ray cluster 127\.0\.0\.1:1"):
        engine.make("ray")


def test_a_killed_parent_leaves_no_cluster_behind(tmp_path):
    (tmp_path / "work.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "work.py"], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout.readline()
    children = psutil.Process(parent.pid).children(recursive=True)
    assert any("raylet" in child.name() for child in children)
    doing = [child for child in children if not child.name().endswith("Agent")]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert len(doing) > 3
    _, alive = psutil.wait_procs(doing, timeout=60.0)
    assert alive == []
