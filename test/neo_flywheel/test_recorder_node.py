"""The recorder node on real DDS: it records what was sent, stops cleanly, and serves record_episode."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from neo_msgs.action import RecordEpisode
from neo_msgs.msg import BodyState
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CompressedImage, Image

from neo_bringup.stack import Stack
from neo_ros import graph

ROOT = Path(__file__).parents[2]


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
        process.communicate()


def send(stack, count, recorder_topics=("body/state", "head_camera/left/image_raw/compressed")):
    """Sends ``count`` states and some images of each kind once the recorder listens."""
    publishers = {name: graph.publisher(stack.node, name) for name in recorder_topics}
    raw = stack.node.create_publisher(Image, "head_camera/left/image_raw", 2)
    assert stack.wait(lambda: all(p.get_subscription_count() for p in publishers.values()), 15.0)
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
        assert stack.wait(lambda: (bag / "bag_0.mcap").stat().st_size > 0, 5.0)
        end = graph.publisher(stack.node, "safety/state")
        assert stack.wait(lambda: end.get_subscription_count() > 1, 15.0)
        recorder.send_signal(signal.SIGINT)
        output = recorder.communicate(timeout=10)[0]
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
        assert client.wait_for_server(timeout_sec=15.0)
        feedback = []
        goal = RecordEpisode.Goal(directory=str(tmp_path / "episode"), task="wave")
        sent = client.send_goal_async(goal, feedback_callback=lambda m: feedback.append(m.feedback))
        assert stack.wait(sent.done, 5.0)
        publishers = send(stack, 50)
        assert stack.wait(lambda: any(f.messages >= 51 for f in feedback), 10.0)
        second = client.send_goal_async(RecordEpisode.Goal(directory=str(tmp_path / "second")))
        assert stack.wait(second.done, 5.0)
        refusal = second.result().get_result_async()
        assert stack.wait(refusal.done, 5.0)
        assert refusal.result().result.reason.startswith("already recording into")
        result = sent.result().get_result_async()
        sent.result().cancel_goal_async()
        assert stack.wait(result.done, 5.0)
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
    output = recorder.communicate(timeout=20)[0]
    assert recorder.returncode == 2
    assert output.count("\n") == 1
    assert "cannot record into" in output
