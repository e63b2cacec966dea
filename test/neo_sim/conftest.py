"""The node ``sim`` as a process of its own, and what talks to it."""

import signal
import subprocess
import sys
import time

import pytest
import rclpy
from rclpy.task import Future

from neo_ros import executor, graph

START = "from neo_sim.node import main; main()"


@pytest.fixture
def start_sim(ros):
    """Starts the node with the given parameters; ends it by SIGINT, which must leave exit code 0."""
    started = []

    def start(**parameters):
        words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
        process = subprocess.Popen(
            [sys.executable, "-c", START, "--ros-args", *words], stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert "Traceback" not in errors, errors


class Station:
    """A node with an executor: hears topics into ``last``, publishes, waits for conditions."""

    def __init__(self, name="station"):
        self.node = rclpy.create_node(name)
        self.executor = executor.make(self.node)
        self.last = {}
        self.publishers = {}

    def hear(self, topic, callback=None):
        def keep(message):
            self.last[topic] = message
            if callback is not None:
                callback(message)

        graph.subscription(self.node, topic, keep)

    def publish(self, topic, message):
        if topic not in self.publishers:
            self.publishers[topic] = graph.publisher(self.node, topic)
        self.publishers[topic].publish(message)

    def until(self, condition, timeout=40.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            self.executor.spin_until_future_complete(Future(), timeout_sec=0.02)

    def wait(self, future, timeout=40.0):
        return executor.wait_for(self.executor, future, timeout)


@pytest.fixture
def station(ros):
    station = Station()
    yield station
    station.executor.shutdown()
    station.node.destroy_node()
