"""What every room's tests may use: ROS in this process, in a domain of its own; nodes on one executor."""

import gc
import itertools
import os
import signal
import sys
import time
from pathlib import Path

# before torch is loaded: toy models gain nothing by two threads, and on busy cores each waits for the other
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import rclpy
from rclpy.task import Future

from neo_bringup.instance import claim_free_domain
from neo_description import scenes
from neo_description.errors import NeoError
from neo_ros import environment, executor

# a shell's job in the background ignores Ctrl-C, and so would every program that tests start and interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)


TURNS = itertools.count()


def pytest_collection_modifyitems(items):
    """Files that take long begin first: side by side, nobody waits for the last one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def ros_domain(monkeypatch):
    """A ROS domain that nobody else on this machine uses, for this process and its children.

    Another one each time: who ended without a word stays in a domain for some seconds.
    """
    number, claim = claim_free_domain(first=40 + next(TURNS) % 20)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    yield number
    claim.close()


@pytest.fixture
def start_ros(ros_domain, monkeypatch):
    """Initialises rclpy with ROS parameters for the nodes to be made: ``start_ros("rate:=5.0")``."""
    for name, value in environment.ros_environment().items():
        monkeypatch.setenv(name, value)
    begun = []

    def begin(*parameters):
        words = [word for parameter in parameters for word in ("-p", parameter)]
        rclpy.init(args=["--ros-args", *words] if words else [])
        begun.append(True)

    yield begin
    if begun:
        rclpy.shutdown()
        gc.collect()  # or what this test made may still talk in the next one's domain


@pytest.fixture
def ros(start_ros):
    """rclpy, initialised."""
    start_ros()
    return rclpy


class Spinning:
    """Nodes on one executor; :meth:`until` runs their callbacks until a condition holds."""

    def __init__(self, *nodes):
        self.executor = executor.make(*nodes)

    def until(self, condition, timeout=30.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            self.executor.spin_until_future_complete(Future(), timeout_sec=0.01)

    def until_said(self, condition, *says):
        """Says it, and again while nobody acts on it: best effort may lose messages on a busy machine."""
        for _ in range(40):
            for say in says:
                say()
            deadline = time.monotonic() + 1.0
            while time.monotonic() < deadline:
                if condition():
                    return
                self.executor.spin_until_future_complete(Future(), timeout_sec=0.01)
        raise AssertionError("what was said was never acted on")


@pytest.fixture
def spinning():
    return Spinning


@pytest.fixture(scope="session")
def chromium():
    """Where the browser is; skips where there is none."""
    from neo_bringup.bench import browser

    try:
        return browser.program()
    except NeoError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kitchen():
    """The default scene, compiled once."""
    return scenes.make("kitchen_table", 0)


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory):
    """A model of the toy robot (neo_world_model/toy.py), trained for seconds, as it may be released."""
    sys.path.insert(0, str(Path(__file__).parent / "neo_world_model"))
    import toy

    from neo_flywheel.learning import training

    folder = tmp_path_factory.mktemp("toy")
    training.ship(toy.trained(folder, 60, 40, steps=60, batch=16, evaluate_batches=2), folder / "model")
    return folder / "model"
