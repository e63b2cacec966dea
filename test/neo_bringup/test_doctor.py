"""neo doctor: present, missing, and how to get it."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rclpy.node import Node

from neo_bringup.commands import doctor
from neo_bringup.doctor import network, software, system
from neo_bringup.doctor.row import Status, missing, ok, warn
from neo_ros import environment

ROOT = Path(__file__).parents[2]


def run(*words, capsys):
    code = doctor.run(type("Args", (), {"json": "--json" in words})())
    return code, capsys.readouterr().out


def test_missing_means_not_usable(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "rows", lambda: iter([ok("a", "1"), missing("b", "none", "apt install b")]))
    code, output = run("--json", capsys=capsys)
    told = json.loads(output)
    assert code == 1
    assert not told["usable"]
    assert told["rows"][1] == {"what": "b", "status": "missing", "found": "none", "cure": "apt install b"}


def test_a_warning_is_usable(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "rows", lambda: iter([warn("a", "old", "make setup")]))
    code, output = run(capsys=capsys)
    assert code == 0
    assert "make setup" in output
    assert output.endswith("doctor: usable\n")


def test_this_machine_is_usable(ros_domain):
    done = subprocess.run(
        [sys.executable, "-m", "neo_bringup.cli", "doctor", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    assert done.returncode == 0, [row for row in told["rows"] if row["status"] == "missing"]
    assert {"python", "OpenGL", "shared memory", "neo_msgs", "tf2_msgs", "pinned packages"} <= {
        row["what"] for row in told["rows"]
    }


def test_every_row_that_is_not_ok_says_what_to_do(ros_domain):
    for row in doctor.rows():
        assert row.status is Status.OK or row.cure, row


def test_no_opengl_is_missing(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    monkeypatch.setattr(system.preflight, "GL_LIBRARIES", {"osmesa": "libNoSuchMesa.so.8"})
    row = system.opengl()
    assert row.status is Status.MISSING
    assert "libNoSuchMesa" in row.found
    assert "apt install" in row.cure


def test_a_renderer_that_dies_is_missing(monkeypatch):
    monkeypatch.setattr(system, "RENDER", "import os; os.abort()")
    assert system.opengl().status is Status.MISSING


def test_too_little_shared_memory_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(system.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 64 * 2**20})())
    row = system.shared_memory_space(tmp_path)
    assert row.status is Status.MISSING
    assert "64 MiB free" in row.found


def test_no_shared_memory_is_missing(tmp_path):
    assert system.shared_memory_space(tmp_path / "none").status is Status.MISSING


def test_a_taken_port_is_a_warning():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        row = network.console_port(taken.getsockname()[1])
    assert row.status is Status.WARN
    assert "is taken" in row.found


def test_who_uses_our_domain_is_named(ros_domain, monkeypatch):
    import rclpy

    for name, value in environment.ros_environment().items():
        monkeypatch.setenv(name, value)
    assert network.domain().status is Status.OK
    rclpy.init(args=[])
    node = Node("somebody", namespace="/robot")
    try:
        row = network.domain()
    finally:
        node.destroy_node()
        rclpy.shutdown()
    assert row.what == f"ROS_DOMAIN_ID {ros_domain}"
    assert row.status is Status.WARN
    assert "/robot/somebody" in row.found


def test_a_domain_that_is_none_is_missing(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "kitchen")
    row = network.domain()
    assert row.status is Status.MISSING
    assert "a node cannot start" in row.found


def test_versions_that_are_not_those_pinned_are_named(tmp_path):
    (tmp_path / "runtime.txt").write_text("numpy==0.0.1\nno-such-package==1.0\nPyYAML==6.0.3\n")
    row = software.pins(tmp_path)
    assert row.status is Status.WARN
    assert "numpy 0.0.1: " in row.found
    assert "no-such-package 1.0: not installed" in row.found


def test_the_pins_of_this_checkout_hold():
    assert software.pins(ROOT / "requirements").status is Status.OK


@pytest.mark.parametrize("row", software.interfaces(), ids=lambda row: row.what)
def test_interfaces_are_found(row):
    assert row.status is Status.OK
