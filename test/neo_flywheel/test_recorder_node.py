"""The recorder node on real DDS: it records what was sent, stops cleanly, and serves record_episode."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from neo_msgs.action import DoTask, RecordEpisode
from neo_msgs.msg import BodyState, SafetyState, Surprise
from rclpy.serialization import deserialize_message
from rclpy.task import Future
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import Bool

from neo_bringup.stack import Stack
from neo_flywheel import cdr, metadata, recovery
from neo_flywheel.video import Decoder
from neo_ros import graph

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0  # s of wall time: a busy machine starts a node in tens of seconds


@pytest.fixture
def start_recorder(ros_domain, tmp_path):
    started = []

    def start(*parameters):
        words = [w for p in ("min_free:=0.0", *parameters) for w in ("-p", p)]
        code = "from neo_flywheel.recorder_node import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "--ros-args", "-r", "__ns:=/neo1", *words],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ),
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        print(process.communicate()[0])  # shown when the test fails


def send(stack, count, recorder_topics=("body/state", "head_camera/left/image_raw/compressed")):
    """Sends ``count`` states and some images of each kind once the recorder listens."""
    publishers = {name: graph.publisher(stack.node, name) for name in recorder_topics}
    raw = stack.node.create_publisher(Image, "head_camera/left/image_raw", 2)
    assert stack.wait(lambda: all(p.get_subscription_count() for p in publishers.values()), DEADLINE)
    for tick in range(count):
        if tick % 10 == 0:
            publishers["head_camera/left/image_raw/compressed"].publish(CompressedImage(data=b"jpeg"))
            raw.publish(Image())
        publishers["body/state"].publish(BodyState(tick=tick))
        stack.wait(lambda: False, 0.004)  # 250 Hz
    return publishers


def counts(bag):
    with Reader(bag) as reader:
        return {c.topic: c.msgcount for c in reader.connections if c.msgcount}


def test_it_records_from_the_start_and_closes_the_bag_on_sigint(start_recorder, tmp_path):
    recorder = start_recorder("start:=true", f"directory:={tmp_path}/run")
    with Stack("/neo1", "tester") as stack:
        send(stack, 100)
        bag = tmp_path / "run" / "bag"
        assert stack.wait(lambda: (bag / "bag_0.mcap").stat().st_size > 0, DEADLINE)
        end = graph.publisher(stack.node, "safety/state")
        assert stack.wait(lambda: end.get_subscription_count() > 1, DEADLINE)
        recorder.send_signal(signal.SIGINT)
        output = recorder.communicate(timeout=DEADLINE)[0]
    assert recorder.returncode == 0, output
    found = counts(bag)
    assert found["/neo1/head_camera/left/image_raw/compressed"] >= 1
    assert found["/neo1/body/state"] >= 50  # best effort
    assert "/neo1/head_camera/left/image_raw" not in found
    with Reader(bag) as reader:
        message = next(data for c, _, data in reader.messages() if c.topic == "/neo1/body/state")
    assert len(message) > 1000


def test_an_episode_is_recorded_on_request_until_cancelled(start_recorder, tmp_path):
    start_recorder()
    with Stack("/neo1", "tester") as stack:
        client = stack.action_client("record_episode")
        assert client.wait_for_server(timeout_sec=DEADLINE)
        assert stack.known_to("record_episode", DEADLINE)
        feedback = []
        goal = RecordEpisode.Goal(directory=str(tmp_path / "episode"), task="wave")
        sent = client.send_goal_async(goal, feedback_callback=lambda m: feedback.append(m.feedback))
        assert stack.wait(sent.done, DEADLINE)
        publishers = send(stack, 50)
        assert stack.wait(lambda: any(f.messages >= 51 for f in feedback), DEADLINE)
        second = client.send_goal_async(RecordEpisode.Goal(directory=str(tmp_path / "second")))
        assert stack.wait(second.done, DEADLINE)
        refusal = second.result().get_result_async()
        assert stack.wait(refusal.done, DEADLINE)
        assert refusal.result().result.reason.startswith("already recording into")
        result = sent.result().get_result_async()
        sent.result().cancel_goal_async()
        assert stack.wait(result.done, DEADLINE)
        answer = result.result().result
        del publishers
    assert (answer.success, answer.reason, answer.path) == (
        True,
        "cancelled",
        str(tmp_path / "episode" / "bag"),
    )
    assert sum(counts(tmp_path / "episode" / "bag").values()) == answer.messages
    assert not (tmp_path / "second").exists()


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(start_recorder, tmp_path):
    (tmp_path / "file").touch()
    recorder = start_recorder("start:=true", f"directory:={tmp_path}/file/run")
    output = recorder.communicate(timeout=DEADLINE)[0]
    assert recorder.returncode == 2
    assert output.count("\n") == 1
    assert "cannot record into" in output


def test_a_recorder_that_is_killed_leaves_what_a_recovery_makes_whole(start_recorder, tmp_path):
    recorder = start_recorder("start:=true", f"directory:={tmp_path}/run")
    bag = tmp_path / "run" / "bag"
    with Stack("/neo1", "tester") as stack:
        state = graph.publisher(stack.node, "body/state")
        assert stack.wait(lambda: state.get_subscription_count(), DEADLINE)
        for tick in range(1, 2000):
            state.publish(BodyState(tick=tick))
            stack.wait(lambda: False, 0.005)
            if (bag / "bag_0.mcap").stat().st_size > 20_000:
                break
    recorder.kill()
    recorder.wait()
    assert not (bag / "metadata.yaml").exists()
    recovery.recover(bag)
    with Reader(bag) as reader:
        ticks = [
            deserialize_message(data, BodyState).tick
            for c, _, data in reader.messages()
            if c.topic == "/neo1/body/state"
        ]
    assert len(ticks) > 5
    assert ticks == sorted(set(ticks))
    assert ticks[-1] <= tick


class Said:
    """What the recorder reports in its diagnostics."""

    def __init__(self, stack):
        self.stack, self.values = stack, {}
        stack.node.create_subscription(DiagnosticArray, "/diagnostics", self._on, 10)

    def _on(self, message):
        for status in message.status:
            if status.name == "/neo1/recorder":
                self.values = {row.key: row.value for row in status.values}

    def until(self, key, value, timeout=DEADLINE):
        assert self.stack.wait(lambda: self.values.get(key) == value, timeout), (key, value, self.values)


class Task:
    """Serves do_task as the node ``task`` does: with the graph's introspection; ends when told how."""

    def __init__(self, stack):
        self.stack, self.goal, self.result, self._given = stack, None, None, []
        stack.node.create_timer(0.05, self._settle)  # futures belong to the executor's thread
        self.server = graph.action_server(stack.node, "do_task", self._execute)
        self.client = stack.action_client("do_task")
        assert self.client.wait_for_server(timeout_sec=DEADLINE)
        events = "/neo1/do_task/_action/send_goal/_service_event"
        assert stack.wait(lambda: stack.node.count_subscribers(events) == 1, DEADLINE)

    def _settle(self):
        if self._given:
            self.result.set_result(self._given.pop())

    async def _execute(self, goal):
        self.goal, self.result = goal, Future()
        result = await self.result
        graph.end_goal(goal, result.success, result.reason)
        return result

    def begin(self, prompt, planner):
        sent = self.client.send_goal_async(DoTask.Goal(prompt=prompt, planner=planner))
        assert self.stack.wait(lambda: sent.done() and self.goal is not None, DEADLINE)
        return sent.result().get_result_async()

    def end(self, done, **result):
        self._given.append(DoTask.Result(**result))
        assert self.stack.wait(done.done, DEADLINE)


def notes(bag):
    with Reader(bag) as reader:
        return [cdr.key_value(d) for c, _, d in reader.messages() if c.topic == "/neo1/recorder/notes"]


def test_the_bag_says_who_acted_what_was_asked_for_and_what_came_of_it(start_recorder, tmp_path):
    recorder = start_recorder("start:=true", f"directory:={tmp_path}/run")
    with Stack("/neo1", "task") as stack, Stack("/neo1", "teleop") as operator:
        said, task = Said(stack), Task(stack)
        safety = graph.publisher(stack.node, "safety/state")
        clutch = graph.publisher(operator.node, "teleop/engaged")
        safety.publish(SafetyState(state=SafetyState.ACTIVE))
        done = task.begin("wave", "world_model")
        said.until("provenance", "policy")
        clutch.publish(Bool(data=True))
        said.until("provenance", "teleop")
        clutch.publish(Bool(data=False))
        said.until("provenance", "policy")
        task.end(done, success=False, reason="lost", outcome="it fell")
        said.until("outcome", "lost: it fell")
        said.until("provenance", "none")
        safety.publish(SafetyState(state=SafetyState.STOP, reason="runstop"))
        said.until("provenance", "safety")
        recorder.send_signal(signal.SIGINT)
        output = recorder.communicate(timeout=DEADLINE)[0]
    assert recorder.returncode == 0, output
    found = notes(tmp_path / "run" / "bag")
    who = [value for key, value in found if key == "provenance"]
    assert who == ["none", "policy", "teleop", "policy", "none", "safety"]
    assert [row for row in found if row[0] != "provenance"] == [
        ("prompt", "wave"),
        ("outcome", "lost: it fell"),
    ]
    assert 0.0 < float(metadata.read_custom(tmp_path / "run" / "bag")["autonomy"]) < 1.0


def test_of_an_operator_who_did_not_agree_only_who_drove_is_recorded(start_recorder, tmp_path):
    recorder = start_recorder("start:=true", f"directory:={tmp_path}/run")
    with Stack("/neo1", "teleop") as operator:
        said = Said(operator)
        consent, clutch = (
            graph.publisher(operator.node, f"teleop/{name}") for name in ("consent", "engaged")
        )
        states, safety = (graph.publisher(operator.node, name) for name in ("joint_states", "safety/state"))
        safety.publish(SafetyState(state=SafetyState.ACTIVE))
        assert operator.wait(lambda: states.get_subscription_count() > 0, DEADLINE)
        for agreed in (False, True):
            consent.publish(Bool(data=agreed))
            clutch.publish(Bool(data=True))
            said.until("provenance", "teleop")
            states.publish(JointState(name=[f"agreed {agreed}"]))
            safety.publish(SafetyState(state=SafetyState.ACTIVE, reason=f"agreed {agreed}"))
            operator.wait(lambda: False, 0.5)
            clutch.publish(Bool(data=False))
            said.until("provenance", "none")
        recorder.send_signal(signal.SIGINT)
        output = recorder.communicate(timeout=DEADLINE)[0]
    assert recorder.returncode == 0, output
    found = counts(tmp_path / "run" / "bag")
    assert found["/neo1/joint_states"] == 1  # of the second time
    assert [value for key, value in notes(tmp_path / "run" / "bag") if key == "provenance"].count(
        "teleop"
    ) == 2


def test_surprise_makes_a_clip_of_what_came_before_it_with_video(start_recorder, tmp_path):
    recorder = start_recorder(
        "ring:=true", "images:=h264", "after:=0.0", f"directory:={tmp_path}/run", "triggers:=[surprise]"
    )
    with Stack("/neo1", "tester") as stack:
        said = Said(stack)
        raw = graph.publisher(stack.node, "head_camera/left/image_raw")
        surprise = graph.publisher(stack.node, "world_model/surprise")
        state = graph.publisher(stack.node, "body/state")
        assert stack.wait(lambda: all(p.get_subscription_count() for p in (raw, surprise, state)), DEADLINE)
        picture = np.full((48, 64, 3), (200, 100, 50), np.uint8)
        image = Image(height=48, width=64, encoding="rgb8", step=192, data=picture.tobytes())
        for tick in range(50):
            raw.publish(image)
            state.publish(BodyState(tick=tick))
            surprise.publish(Surprise(value=0.5))
            stack.wait(lambda: False, 0.01)
        assert not (tmp_path / "run").exists()
        surprise.publish(Surprise(value=0.995))
        said.until("trigger", "surprise: 0.9950")
        for _ in range(300):  # what comes in moves what was kept to the disk
            state.publish(BodyState(tick=1000))
            if (tmp_path / "run" / "clip-0001" / "bag" / "metadata.yaml").exists():
                break
            stack.wait(lambda: False, 0.02)
        recorder.send_signal(signal.SIGINT)
        output = recorder.communicate(timeout=DEADLINE)[0]
    assert recorder.returncode == 0, output
    bag = tmp_path / "run" / "clip-0001" / "bag"
    found = counts(bag)
    assert found["/neo1/body/state"] >= 25
    assert found["/neo1/world_model/surprise"] >= 25  # few are kept for a reader that is late
    assert ("trigger", "surprise: 0.9950") in notes(bag)
    assert metadata.read_custom(bag)["trigger"] == "surprise: 0.9950"
    decoder = Decoder()
    with Reader(bag) as reader:
        seen = [
            decoder.decode(cdr.compressed_video(data).data)
            for c, _, data in reader.messages()
            if c.topic == "/neo1/head_camera/left/image_raw/h264"
        ]
    assert len(seen) >= 25
    assert all(np.abs(p.astype(int) - picture[..., ::-1]).mean() < 6.0 for p in seen)


def test_a_trigger_that_there_is_not_is_refused_with_those_there_are(start_recorder):
    recorder = start_recorder("triggers:=[boredom]")
    output = recorder.communicate(timeout=DEADLINE)[0]
    assert recorder.returncode == 2
    assert "no trigger boredom; one of surprise, failure, intervention, safety" in output
