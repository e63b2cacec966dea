"""A disk that is really full or read-only, a file that may grow no more: recording ends, nothing else."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from mcap.reader import make_reader

from neo_flywheel import recovery

ROOT = Path(__file__).parents[2]
STREAM = """
    import json, resource, sys
    import numpy as np
    from neo_description.errors import NeoError
    from neo_flywheel.recorder import Recorder
    limit, directory = int(sys.argv[1]), sys.argv[2]
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        recorder = Recorder(directory, {}, 0.0, 0.0)
        recorder.add("/a", {"type": "std_msgs/msg/String", "qos": "control"})
    except NeoError as error:
        print(json.dumps({"refused": str(error)}))
        sys.exit(0)
    noise, sent = np.random.default_rng(0), 0
    while recorder.recording and sent < 500:
        recorder.write("/a", b"\\0\\1\\0\\0" + noise.bytes(20_000))
        sent += 1
    for _ in range(3):  # whoever goes on sending is not harmed
        recorder.write("/a", b"\\0\\1\\0\\0" + noise.bytes(20_000))
    recorder.close()
    print(json.dumps({"sent": sent, "why": recorder.why_stopped}))
"""


def record(directory, limit=0):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STREAM), str(limit), str(directory)],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
        env={**os.environ, "AMENT_PREFIX_PATH": sys.prefix},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def filler_fits(stream):
    try:
        return stream.write(bytes(4096)) == 4096
    except OSError:
        return False


def messages(file):
    with file.open("rb") as stream:
        return sum(1 for _ in make_reader(stream).iter_messages())


@pytest.fixture
def tmpfs(tmp_path):
    """Mounts a file system of its own; skips where that is not allowed."""
    mounted = []

    def mount(options):
        place = tmp_path / "disk"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True
        )
        if done.returncode:
            pytest.skip(f"no mount here: {done.stderr.decode().strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_file_that_may_grow_no_more_ends_the_recording_with_the_reason(tmp_path):
    result = record(tmp_path / "run", limit=1_000_000)
    assert 10 < result["sent"] < 100
    assert "File too large" in result["why"]
    assert "neo bag recover" in result["why"]
    recovery.recover(tmp_path / "run" / "bag")
    assert messages(tmp_path / "run" / "bag" / "bag_0.mcap") >= result["sent"] - 2


def test_a_full_disk_ends_the_recording_with_the_reason(tmpfs):
    disk = tmpfs("size=2m")
    result = record(disk / "run")
    assert 10 < result["sent"] < 200
    assert "No space left on device" in result["why"]


def test_a_read_only_disk_is_refused_at_once(tmpfs):
    disk = tmpfs("ro")
    assert "Read-only file system" in record(disk / "run")["refused"]


def test_a_disk_that_is_full_from_the_start_is_refused_at_once(tmpfs):
    disk = tmpfs("size=64k")
    with (disk / "else").open("wb", buffering=0) as filler:
        while filler_fits(filler):
            pass
    assert "No space left on device" in record(disk / "run")["refused"]
