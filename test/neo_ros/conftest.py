"""ROS in this process, and small node programs in processes of their own."""

import subprocess
import sys
import textwrap
import time

import pytest
import rclpy
from rclpy.task import Future

from neo_ros import environment, executor


@pytest.fixture
def ros(ros_domain, monkeypatch):
    """rclpy, initialised in a domain of its own."""
    for name, value in environment.ros_environment().items():
        monkeypatch.setenv(name, value)
    rclpy.init(args=[])
    yield rclpy
    rclpy.shutdown()


class Spinning:
    """Nodes on one executor; :meth:`until` runs their callbacks until a condition holds."""

    def __init__(self, *nodes):
        self.executor = executor.make(*nodes)

    def until(self, condition, timeout=15.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            self.executor.spin_until_future_complete(Future(), timeout_sec=0.01)


@pytest.fixture
def spinning(ros):
    return Spinning


@pytest.fixture
def start_program(ros_domain, tmp_path):
    """Starts Python source as a process; what is left at the end is killed."""
    started = []

    def start(source, *words):
        file = tmp_path / f"program{len(started)}.py"
        file.write_text(textwrap.dedent(source))
        process = subprocess.Popen(
            [sys.executable, file, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
