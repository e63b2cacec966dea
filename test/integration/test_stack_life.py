"""The whole stack as a user runs it: up, stand, stop; crashes held and named; parity with NeoEnv."""

import re
import signal

import psutil
import pytest
from neo_msgs.msg import SafetyState

from neo_bringup import shared_memory
from neo_bringup.bench import kill, parity
from neo_bringup.bench.harness import Request
from neo_bringup.bench.robot import robot, stand


@pytest.fixture
def request_(tmp_path):
    def make(name):
        return Request(name, (0,), True, "kitchen_table", "", tmp_path)

    return make


def test_it_starts_in_stop_stands_and_stops_and_leaves_nothing(tmp_path):
    log = tmp_path / "log.txt"
    with robot(["sync:=lockstep", "cameras:=false"], log) as (launched, stack):
        assert stack.wait(lambda: stack.safety is not None, 20.0)
        assert stack.safety.state == SafetyState.STOP
        stand(launched, stack)
        stack.set_mode("stop")
        assert stack.wait(lambda: stack.safety.state == SafetyState.STOP, 20.0)
        runner = psutil.Process(launched.process.pid)
        used = [shared_memory.used_by(process.pid) for process in (runner, *runner.children(recursive=True))]
        assert not any(used), "nobody handles images"
        launched.process.send_signal(signal.SIGINT)
        assert launched.process.wait(timeout=15.0) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("node", ["body_control", "l_hand_control", "tactile", "sim"])
def test_a_killed_node_leaves_a_held_robot_and_is_named(request_, node):
    sample = kill.measure(f"0/{node}", request_("kill"), print)
    assert sample["named"]
    assert sample["exit_code"] == 1
    if node != "sim":
        assert sample["hold_ms"] <= 20.0
        assert not sample["fell"]
        assert sample["watched_s"] >= kill.STAYS_UP


def test_ros_in_lockstep_and_neoenv_give_the_same_trajectory(request_):
    sample = parity.measure("0", request_("parity"), print)
    assert sample["compared"] >= 10
    assert sample["differences"] == 0, f"first at tick {sample['first']}"


def test_a_scene_that_does_not_exist_is_named_and_ends_everything(tmp_path):
    from neo_description.errors import NeoError

    with (
        pytest.raises(NeoError, match=r"sim died: exit code 2: .*no scene 'moon'") as refusal,
        robot(["scene:=moon", "cameras:=false"], tmp_path / "log.txt"),
    ):
        pass
    assert not re.search("Traceback", str(refusal.value))
