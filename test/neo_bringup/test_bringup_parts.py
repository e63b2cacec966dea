"""Locks, shared memory, preflight checks, output, and the hand-over to launch_ros."""

import fcntl
import io
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neo_bringup import preflight, shared_memory
from neo_bringup.instance import InstanceLock, claim_free_domain
from neo_bringup.output import Output
from neo_description.errors import NeoError

ROOT = Path(__file__).parents[2]


def test_one_stack_a_domain_and_namespace(tmp_path):
    first = InstanceLock(3, "neo1", tmp_path)
    with pytest.raises(
        NeoError, match=rf"already runs in ROS_DOMAIN_ID=3 namespace /neo1 \(process {os.getpid()}\)"
    ):
        InstanceLock(3, "/neo1/", tmp_path)
    others = [InstanceLock(3, "neo2", tmp_path), InstanceLock(4, "neo1", tmp_path)]
    first.close()
    for lock in [*others, InstanceLock(3, "neo1", tmp_path)]:
        lock.close()


def test_free_domains_are_handed_out_once(tmp_path):
    busy = InstanceLock(10, "", tmp_path)
    a, claim_a = claim_free_domain(10, 12, tmp_path)
    b, claim_b = claim_free_domain(10, 12, tmp_path)
    assert (a, b) == (11, 12)
    with pytest.raises(NeoError, match="every ROS_DOMAIN_ID from 10 to 12 is in use"):
        claim_free_domain(10, 12, tmp_path)
    for lock in (busy, claim_a, claim_b):
        lock.close()
    assert claim_free_domain(10, 12, tmp_path)[0] == 10


def test_shared_memory_without_an_owner_is_removed_and_nothing_else(tmp_path):
    for name in ("fastdds_0123456789abcdef", "fastdds_fedcba9876543210", "fastdds_port64321"):
        (tmp_path / name).touch()
    (tmp_path / "fastdds_0123456789abcdef_el").touch()
    (tmp_path / "sem.fastdds_port64321_mutex").touch()
    (tmp_path / "somebody_elses").touch()
    with (tmp_path / "fastdds_fedcba9876543210_el").open("w") as owned:
        fcntl.flock(owned, fcntl.LOCK_EX)
        assert shared_memory.clean(tmp_path, young=60.0) == []
        assert shared_memory.clean(tmp_path, young=0.0) == ["fastdds_0123456789abcdef", "fastdds_port64321"]
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"fastdds_fedcba9876543210", "fastdds_fedcba9876543210_el", "somebody_elses"}


def test_a_taken_or_impossible_port_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(NeoError, match="is taken"):
            preflight.check_port(taken.getsockname()[1])
    preflight.check_port(0)
    with pytest.raises(NeoError, match="70000 is no port"):
        preflight.check_port(70000)


def test_missing_gl_is_named_with_the_cure(monkeypatch):
    monkeypatch.setitem(preflight.GL_LIBRARIES, "egl", "libNoSuchEGL.so.1")
    monkeypatch.setenv("MUJOCO_GL", "egl")
    with pytest.raises(
        NeoError, match=r"no OpenGL .*libNoSuchEGL.so.1 is missing.*apt install.*cameras:=false"
    ):
        preflight.check_gl()
    monkeypatch.setenv("MUJOCO_GL", "directx")
    with pytest.raises(NeoError, match="MUJOCO_GL=directx: one of egl, osmesa, glfw"):
        preflight.check_gl()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    assert preflight.make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(NeoError, match=r"cannot write to the folder .*: Not a directory"):
        preflight.make_folder(tmp_path / "file" / "run")
    with pytest.raises(NeoError, match=r"cannot write to the folder /proc/"):
        preflight.make_folder(Path("/proc/neo"))


def test_output_is_plain_in_a_pipe_and_survives_a_reader_that_left():
    stream = io.StringIO()
    output = Output(stream)
    output.node("sim", "ready")
    output.say("up")
    assert stream.getvalue() == "[sim] ready\n[neo] up\n"

    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    Output(Closed()).say("nobody hears this")


@pytest.fixture
def ros2_installed(tmp_path, monkeypatch):
    """A stand-in for an installed launch_ros: such a module, and a ``ros2`` that says what it was asked."""
    (tmp_path / "site" / "launch_ros").mkdir(parents=True)
    (tmp_path / "site" / "launch_ros" / "__init__.py").touch()
    ros2 = tmp_path / "bin" / "ros2"
    ros2.parent.mkdir()
    ros2.write_text('#!/bin/sh\necho "ros2 $*"\nsleep "${PAUSE:-0}"\n')
    ros2.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ros2.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    return ros2


def neo_up(*words):
    return subprocess.Popen([sys.executable, "-m", "neo_bringup.cli", "up", *words], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def test_an_installed_launch_ros_runs_the_launch_file(ros2_installed, write_launch, ros_domain):
    file = write_launch([("a", "idle", "")])
    out, err = neo_up("--file", str(file), "namespace:=neo1").communicate(timeout=30)
    assert out.splitlines()[-1] == f"ros2 launch {file} namespace:=neo1", err


def test_what_only_our_runner_can_do_is_refused_when_launch_ros_would_run(
    ros2_installed, write_launch, ros_domain
):
    up = neo_up("--file", str(write_launch([("a", "idle", "")])), "on_death:=restart")
    assert up.communicate(timeout=30)[1] == "neo: on_death:=restart needs our own runner: add --runner own\n"
    assert up.returncode == 2


def test_the_lock_stays_while_launch_ros_runs(ros2_installed, write_launch, ros_domain, monkeypatch):
    monkeypatch.setenv("PAUSE", "20")
    file = str(write_launch([("a", "idle", "")]))
    first = neo_up("--file", file)
    deadline = time.monotonic() + 20
    while "ros2 launch" not in first.stdout.readline():
        assert time.monotonic() < deadline
    second = neo_up("--file", file)
    assert "already runs" in second.communicate(timeout=30)[1]
    first.kill()
    first.communicate()
