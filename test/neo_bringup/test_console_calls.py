"""The console's buttons on the graph, where the robot answers late or goes away."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.node import Node

from neo_bringup.console.calls import STOP_TRIES, RobotCalls
from neo_bringup.instance import claim_free_domain
from neo_ros import environment, executor

ROBOT = Path(__file__).with_name("console_fake_robot.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def calls(monkeypatch):
    """Calls of a console node that is spun by a thread of its own."""
    number, claim = claim_free_domain(first=80)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    environment.prepare()
    rclpy.init()
    node = Node("console")
    calls = RobotCalls(node, SimpleNamespace(answer_timeout=2.0))
    runner, end = executor.make(node), threading.Event()

    def spin():
        while not end.is_set():
            runner.spin_until_future_complete(rclpy.task.Future(), timeout_sec=0.1)

    thread = threading.Thread(target=spin)
    thread.start()
    yield calls
    end.set()
    thread.join()
    runner.shutdown()
    node.destroy_node()
    rclpy.shutdown()
    claim.close()


@pytest.fixture
def robot(calls):
    process = subprocess.Popen([sys.executable, str(ROBOT)], cwd=ROOT, env=os.environ.copy())
    wait_until(lambda: calls._runstop.service_is_ready() and calls._do_task.server_is_ready())
    yield process
    process.kill()
    process.wait()


def wait_until(condition, seconds=40.0):
    deadline, tick = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        tick.wait(0.02)


def test_stop_is_sent_again_until_the_drives_answer_and_silence_is_told(calls, robot):
    sent = []
    send = calls._runstop.call_async
    calls._runstop.call_async = lambda request: sent.append(request.data) or send(request)
    robot.send_signal(signal.SIGSTOP)
    calls.stop()
    wait_until(lambda: "no answer" in calls.task.note)
    assert sent == [True] * STOP_TRIES
    robot.send_signal(signal.SIGCONT)
    wait_until(lambda: calls.task.note == "STOP: done: the drives hold")


def test_a_robot_that_goes_away_ends_the_task_in_the_page(calls, robot):
    calls.do("pick up the red bottle")
    wait_until(lambda: calls.task.phase == "look")
    calls.do("pick up the blue cup")
    assert calls.task.note == "the robot works on a task; cancel it first"
    assert calls.task.prompt == "pick up the red bottle"
    robot.kill()
    wait_until(lambda: not calls.task.running)
    assert not calls.task.success
    assert calls.task.outcome


@pytest.mark.parametrize("prompt", ["", "  \n", "x" * 501])
def test_a_prompt_without_words_or_end_is_not_sent(calls, prompt):
    calls.do(prompt)
    assert not calls.task.running
    assert calls.task.note == "a prompt has 1 to 500 characters"
