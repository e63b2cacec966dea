"""``neo do``, ``walk``, ``foretell``, ``mode``, ``stop``, ``reset`` as users run them; a stand-in robot."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from neo_bringup.instance import claim_free_domain
from neo_bringup.stack import Stack
from neo_ros import graph

NODE = Path(__file__).with_name("tiny_nodes") / "robot.py"


@pytest.fixture(scope="module")
def module_domain():
    number, claim = claim_free_domain(first=40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(number))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        yield number
    claim.close()


def start_robot():
    process = subprocess.Popen([sys.executable, str(NODE), "--ros-args", "-r", "__ns:=/neo1"])
    with Stack("/neo1", "tester") as stack:
        assert stack.wait(lambda: "/neo1/robot" in stack.names(), 20.0)
    return process


@pytest.fixture(scope="module")
def robot(module_domain):
    process = start_robot()
    yield process
    process.kill()
    process.wait()


def neo(*words):
    """Starts ``neo`` with ``words`` for the robot in /neo1."""
    return subprocess.Popen(
        [sys.executable, "-m", "neo_bringup.cli", *words, "--namespace", "neo1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip


def outcome(*words):
    process = neo(*words)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_a_task_that_is_done_shows_its_phases_and_exits_0(robot):
    code, out, err = outcome("do", "pick up the red bottle")
    assert code == 0
    assert err == "…  50 %  reach\n"
    assert out == "done: lifted\n"


def test_a_task_that_is_not_done_says_why_and_exits_1(robot):
    assert outcome("do", "fail")[:2] == (1, "not done (lost): it fell\n")


def test_json_is_one_object(robot):
    code, out, _ = outcome("do", "pick up the red bottle", "--json")
    assert code == 0
    assert json.loads(out)["lifted"] == 0.16


def test_ctrl_c_cancels_the_task(robot):
    process = neo("do", "hang")
    assert process.stderr.readline() == "…  50 %  reach\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (1, "cancelled\n", "")


def test_a_way_is_shown_and_where_it_ended(robot):
    code, out, err = outcome("walk", "3", "-0.2", "--turn", "90")
    assert (code, out) == (0, "done: stands there, off by 0.20 m and 90° as it believes\n")
    assert err == "… off by 3.01 m and 90°\n"
    assert outcome("walk", "12")[:2] == (1, "not done: refused: too far\n")
    code, out, _ = outcome("walk", "12", "--json")
    assert (code, json.loads(out)["distance"]) == (1, None)


def test_a_robot_that_dies_during_a_task_is_noticed(ros_domain):
    robot = start_robot()
    process = neo("do", "hang")
    assert process.stderr.readline()
    robot.kill()
    robot.wait()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "neo: the robot went away while it worked on the task\n"


def test_stop_reset_and_mode_report_the_answer(robot):
    assert outcome("stop")[:2] == (0, "stop button pressed: latched\n")
    assert outcome("reset")[:2] == (0, "stop button released: released\n")
    assert outcome("mode", "stop")[0] == 0
    assert outcome("mode", "stand")[::2] == (2, "neo: mode stand refused: the stop button is pressed\n")


def test_what_would_follow_is_shown_and_a_veto_exits_1(robot):
    code, out, _ = outcome("foretell", "pick up the red bottle")
    assert code == 0
    assert "falls     │ 10%" in out
    assert "hidden    │ 20% (not calibrated)" in out
    assert "remembered" in out
    code, out, _ = outcome("foretell", "fail")
    assert code == 1
    assert "after 0.3 s" in out
    assert out.endswith("it would not be done: the cup would fall\n")


def test_what_would_follow_as_json(robot):
    code, out, _ = outcome("foretell", "fail", "--json")
    told = json.loads(out)
    assert (code, told["vetoed"], told["would"], told["horizon"]) == (1, True, "the cup would fall", 0.8)
    assert told["events"][0] == {"name": "falls", "chance": 0.9, "likely_after": 0.3, "calibrated": True}
    assert told["events"][1]["likely_after"] is None
    assert told["beliefs"][0]["position"] == [0.45, -0.1, 0.8]
    code, out, _ = outcome("foretell", "--json")
    assert (code, json.loads(out)["beliefs"]) == (0, [])


def test_what_cannot_be_told_is_said(robot):
    code, _, err = outcome("foretell", "hang")
    assert (code, err) == (2, "neo: nothing can be foretold: too little was sensed yet\n")


def test_without_a_robot_each_command_says_so_and_exits_2(ros_domain):
    code, _, err = outcome("stop")
    assert code == 2
    assert err == "neo: no robot found: nobody serves /neo1/runstop; start one with `neo up`\n"
    code, _, err = outcome("do", "pick up the red bottle")
    assert code == 2
    assert err == "neo: no robot found: nobody serves do_task; start one with `neo up`\n"
    code, _, err = outcome("foretell")
    assert code == 2
    assert "nobody serves /neo1/world_model/foretell" in err
    assert "neo up world_model:=true model:=DIR" in err


def test_a_server_that_has_found_us_is_told_from_one_that_does_not_answer(robot):
    with Stack("/neo1", "tester") as stack:
        assert stack.known_to("do_task", 20.0)
        assert not stack.known_to("record_episode", 0.5), "nobody serves it"


def test_an_action_client_is_made_where_the_executor_runs(robot, monkeypatch):
    makers = []
    make = graph.action_client

    def watched(*args):
        makers.append(threading.current_thread().name)
        return make(*args)

    monkeypatch.setattr(graph, "action_client", watched)
    with Stack("/neo1", "tester") as stack:
        client = stack.action_client("do_task")
        assert client.wait_for_server(timeout_sec=20.0)
    assert makers == ["neo-stack"]
