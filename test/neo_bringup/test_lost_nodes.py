"""``neo up`` with managed nodes in real processes: one is stopped, stuck, killed or deactivated."""

import json
import os
import re
import signal
import threading
import time
from argparse import Namespace

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from neo_bringup.commands import status
from neo_bringup.stack import Stack
from neo_bringup.supervision import read
from neo_bringup.watchdog import Condition
from neo_ros import graph

DEADLINE = 40.0  # s


class Up:
    """A running ``neo up``: what it says, the pids its nodes say, and ``supervisor/state`` as it comes."""

    def __init__(self, process):
        self.process, self.lines, self.states = process, [], []
        threading.Thread(target=self._read, daemon=True).start()
        self.says("[neo] up:")
        self.stack = Stack("/", "test")
        graph.subscription(self.stack.node, "supervisor/state", lambda m: self.states.append(read(m)))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def until(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.01)

    def says(self, words):
        self.until(lambda: any(words in line for line in list(self.lines)))

    def pids(self, name):
        return [int(line.split()[-1]) for line in list(self.lines) if line.startswith(f"[{name}] pid ")]

    def node(self, name):
        """The last that was said of a node; None before."""
        return next((node for state in self.states[-1:] for node in state.nodes if node.name == name), None)

    def well(self, name):
        self.until(lambda: self.node(name) and self.node(name).condition == Condition.WELL)


@pytest.fixture
def up(tmp_path, write_launch, start_up):
    """A plant and managed nodes in the places of body control and camera; ``up.hang(name)`` is a file."""
    rows = [("sim", "plant", tmp_path / "plant.log")]
    rows += [(name, "managed", tmp_path / f"hang-{name}") for name in ("body_control", "camera")]
    robot = Up(start_up(write_launch(rows)))
    robot.hang = lambda name: tmp_path / f"hang-{name}"
    robot.pressed = lambda: "runstop True" in (tmp_path / "plant.log").read_text()
    for name in ("body_control", "camera"):
        robot.well(name)
    yield robot
    robot.stack.close()
    for name in ("body_control", "camera"):
        robot.hang(name).unlink(missing_ok=True)


def test_a_stopped_controller_is_held_killed_and_started_again(up):
    (pid,) = up.pids("body_control")
    os.kill(pid, signal.SIGSTOP)
    up.says("body_control has been silent")
    up.until(up.pressed)
    up.until(lambda: up.states[-1].modes)
    assert up.states[-1].modes == {"no_body_control": "body_control is silent"}
    up.says("body_control died: killed by SIGKILL; it starts again")
    up.says("body_control is back")
    up.until(lambda: not up.states[-1].modes)
    assert up.node("body_control").restarts == 1
    assert len(up.pids("body_control")) == 2
    assert up.node("camera").restarts == 0
    os.kill(up.pids("body_control")[-1], signal.SIGKILL)  # it may be lost once
    up.says("stopped everything because body_control died")
    assert up.process.wait(DEADLINE) == 1


def test_a_stuck_executor_degrades_and_is_back_when_it_runs_again(up):
    up.hang("camera").touch()
    up.says("degraded: no_camera (camera is silent): a task that runs waits, new ones are refused")
    up.until(lambda: up.node("camera").condition == Condition.SILENT)
    up.hang("camera").unlink()
    up.says("camera is back")
    up.says("no longer degraded: no_camera")
    assert not up.pressed()
    assert len(up.pids("camera")) == 1


def test_a_killed_camera_starts_again_and_nobody_is_stopped(up, capfd):
    os.kill(up.pids("camera")[0], signal.SIGKILL)
    up.says("camera died: killed by SIGKILL; it starts again")
    up.until(lambda: len(up.pids("camera")) == 2)
    up.until(lambda: up.states[-1].well and up.node("camera").restarts == 1)
    assert not up.pressed()
    late = Namespace(namespace="", json=True, timeout=DEADLINE)  # joins when all was said: it is latched
    assert status.run(late) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["state"] == "up"
    assert (said["nodes"]["camera"]["condition"], said["nodes"]["camera"]["restarts"]) == ("well", 1)
    assert said["nodes"]["sim"]["condition"] == "starting", "the tiny plant has no heart"


def test_a_node_that_somebody_deactivates_is_named(up, capfd):
    client = up.stack.node.create_client(ChangeState, "camera/change_state")
    assert client.wait_for_service(DEADLINE)
    client.call_async(ChangeState.Request(transition=Transition(label="deactivate")))
    up.says("degraded: no_camera (camera is inactive)")
    assert status.run(Namespace(namespace="", json=False, timeout=DEADLINE)) == 1
    assert re.search(r"camera +well, inactive", capfd.readouterr().out)


def test_with_the_supervisor_gone_its_nodes_are(up):
    pids = up.pids("body_control") + up.pids("camera")
    up.process.kill()
    up.until(lambda: not any(alive(pid) for pid in pids))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
