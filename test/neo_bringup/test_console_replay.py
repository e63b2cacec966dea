"""A recording on the console's page, without a browser: the playhead, and what is shown where it stands."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from neo_msgs.msg import Heartbeat, SafetyState
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from neo_bringup.console import drawings
from neo_bringup.console.playhead import Playhead
from neo_bringup.console.recording import BACK, Recording
from neo_bringup.console.snapshot import Health, Snapshot
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, Safety
from neo_flywheel import cdr
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook
from neo_flywheel.provenance import NOTE_TYPE
from neo_flywheel.video import VIDEO, VIDEO_TYPE, Encoder

BAGS = Path(__file__).parents[1] / "bags"
START = 1_795_852_800 * 10**9  # ns


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def grey(level):
    return np.full((48, 64, 3), level, np.uint8)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """10 s of robot /neo_2: joints and video at 10 Hz, the picture's grey and a joint grow with time."""
    folder = tmp_path_factory.mktemp("recorded") / "bag"
    with BagWriter(folder, TypeBook([Path(sys.prefix)], [VIDEO_TYPE])) as writer:
        add = lambda name, kind: writer.add_topic(f"/neo_2/{name}", kind, Qos())  # noqa: E731
        joints = add("joint_states", "sensor_msgs/msg/JointState")
        video = add("head_camera/left/image_raw/h264", VIDEO)
        safety = add("safety/state", "neo_msgs/msg/SafetyState")
        beats = add("safety/heartbeat", "neo_msgs/msg/Heartbeat")
        reports = writer.add_topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", Qos())
        notes = add("recorder/notes", NOTE_TYPE)
        encoder = Encoder(quality=5)
        told = {2.0: ("prompt", "wave"), 8.0: ("outcome", "done: waved"), 3.0: ("provenance", "policy")}
        for tick in range(101):
            at = START + tick * 10**8
            if tick == 0:
                writer.write(safety, at, serialize_message(SafetyState(state=SafetyState.STOP, reason="new")))
            if tick == 50:
                active = SafetyState(state=SafetyState.ACTIVE, reason="stands")
                writer.write(safety, at, serialize_message(active))
            picture = cdr.Picture(0, 0, "", "h264", encoder.encode_array(grey(2 * tick))[0])
            writer.write(video, at, cdr.compressed_video_cdr(picture))
            message = JointState(name=["l_elbow_pitch"], position=[-0.01 * tick])
            message.velocity, message.effort = [0.0], [0.0]
            writer.write(joints, at, serialize_message(message))
            if tick < 60:
                writer.write(beats, at, serialize_message(Heartbeat(node="/neo_2/task", lifecycle=3)))
            status = DiagnosticStatus(name="/neo_2/camera", level=b"\x01", message="dark")
            runs = [KeyValue(key="CPU a step (ms)", value="9"), KeyValue(key="model", value="slots/a")]
            model = DiagnosticStatus(name="/neo_2/world_model", level=b"\x00", message="ok", values=runs)
            writer.write(reports, at, serialize_message(DiagnosticArray(status=[status, model])))
            if tick / 10 in told:
                writer.write(notes, at, cdr.key_value_cdr(*told[tick / 10]))
    return folder


@pytest.fixture
def recording(bag):
    recording = Recording(bag, silent_after=2.0)
    yield recording
    recording.close()


def shown(recording, position, snapshot=None):
    """What the page has when the playhead stands at ``position``."""
    snapshot = snapshot or Snapshot()
    recording.playhead.seek(position)
    recording.motion(snapshot)
    recording.panels(snapshot)
    recording.health(snapshot)
    return snapshot


def level(snapshot):
    image = cv2.imdecode(np.frombuffer(snapshot.images["left"], np.uint8), cv2.IMREAD_COLOR)
    return float(image.mean())


def test_the_playhead_plays_at_its_speed_pauses_and_stops_at_the_end():
    clock = Clock()
    head = Playhead(10.0, clock)
    clock.time += 5.0
    assert head.position == 0.0
    head.play()
    clock.time += 2.0
    assert head.position == pytest.approx(2.0)
    head.set_speed(0.5)
    clock.time += 2.0
    assert head.position == pytest.approx(3.0)
    head.pause()
    clock.time += 9.0
    assert head.position == pytest.approx(3.0)
    head.seek(9.5)
    head.play()
    clock.time += 60.0
    assert (head.position, head.playing) == (10.0, False)
    head.seek(4.0)
    clock.time += 1.0
    assert (head.position, head.playing) == (4.0, False)
    head.seek(10.0)
    head.play()  # again from the begin
    assert (head.position, head.playing) == (0.0, True)
    head.seek(-3.0)
    assert head.position == 0.0


def test_a_speed_that_is_not_offered_is_refused():
    with pytest.raises(NeoError, match=r"speed 7\.0; one of 0\.1, .* 4"):
        Playhead(1.0).set_speed(7.0)


def test_a_jump_shows_what_was_true_there_forwards_and_backwards(recording):
    snapshot = Snapshot()
    for position, joint, safety in (
        (6.04, -0.6, Safety.ACTIVE),
        (1.0, -0.1, Safety.STOP),
        (9.9, -0.99, Safety.ACTIVE),
    ):
        shown(recording, position, snapshot)
        assert snapshot.joints["l_elbow_pitch"] == pytest.approx(joint)
        assert snapshot.safety is safety
        assert snapshot.time == pytest.approx(position)
        assert 0.0 <= snapshot.posture_age < 0.1


def test_video_is_shown_wherever_the_playhead_stands(recording):
    for position in (5.0, 5.1, 5.7, 0.3, 9.0):  # on, skipping, back, far on
        assert level(shown(recording, position)) == pytest.approx(20 * position, abs=4.0)


def test_nodes_are_as_they_were_heard(recording):
    nodes = {node.name: node for node in shown(recording, 3.0).nodes}
    assert nodes["task"].health is Health.OK
    assert (nodes["camera"].health, nodes["camera"].detail) == (Health.WARN, "dark")
    assert nodes["sim"].health is Health.ABSENT
    snapshot = shown(recording, 5.0)
    assert snapshot.model == "slots/a"
    for position in np.arange(5.5, 9.9, 0.5):  # played, not jumped: it was heard before and falls silent
        shown(recording, position, snapshot)
    assert {node.name: node.health for node in snapshot.nodes}["task"] is Health.SILENT


def test_what_happened_before_a_jump_back_is_forgotten(recording):
    snapshot = shown(recording, 9.0)
    snapshot.surprise = 0.9
    shown(recording, 9.0 - BACK, snapshot)
    assert snapshot.surprise is None


def test_the_task_follows_the_recorder_s_notes(recording):
    assert recording.marks == [(2.0, "prompt", "wave"), (8.0, "outcome", "done: waved")]
    shown(recording, 1.0)
    assert recording.task.prompt == ""
    shown(recording, 5.0)
    assert (recording.task.prompt, recording.task.running) == ("wave", True)
    assert "%" not in drawings.task(recording.task)  # how far it was nobody recorded
    shown(recording, 9.0)
    assert (recording.task.success, recording.task.outcome) == (True, "waved")
    assert "2.0 s, prompt: wave" in drawings.marks(recording.marks, 10.0, 9.0)


def test_states_at_full_rate_are_shown_as_recorded():
    recording = Recording(BAGS / "standing", silent_after=3.0)
    try:
        snapshot = shown(recording, 1.5)
        assert snapshot.drive_mode is DriveMode.TENSION
        assert snapshot.safety is Safety.ACTIVE
        assert snapshot.state_age < 0.01
        assert "ACTIVE" in drawings.safety(snapshot, 3.0)
    finally:
        recording.close()


def test_a_message_that_cannot_be_read_is_named_and_the_others_are_shown(tmp_path):
    with BagWriter(tmp_path / "bag", TypeBook([Path(sys.prefix)])) as writer:
        joints = writer.add_topic("/joint_states", "sensor_msgs/msg/JointState", Qos())
        safety = writer.add_topic("/safety/state", "neo_msgs/msg/SafetyState", Qos())
        writer.write(joints, START, b"\x00\x01\x00\x00<b>")
        writer.write(safety, START, serialize_message(SafetyState(state=SafetyState.ACTIVE)))
    recording = Recording(tmp_path / "bag", 3.0)
    try:
        assert shown(recording, 0.0).safety is Safety.ACTIVE
        assert list(recording.unread) == ["/joint_states"]
        assert "/joint_states cannot be read" in drawings.unread(recording.unread)
        assert drawings.unread({}) == ""
    finally:
        recording.close()


def test_a_bag_of_two_robots_or_of_nothing_shown_is_refused(tmp_path):
    book = TypeBook([Path(sys.prefix)])
    message = serialize_message(JointState())
    for folder, topics in (("two", ("/a/joint_states", "/b/joint_states")), ("other", ("/elsewhere",))):
        with BagWriter(tmp_path / folder, book) as writer:
            for topic in topics:
                writer.write(writer.add_topic(topic, "sensor_msgs/msg/JointState", Qos()), START, message)
    with pytest.raises(NeoError, match="one robot a bag"):
        Recording(tmp_path / "two", 3.0)
    with pytest.raises(NeoError, match="nothing that the console shows, only /elsewhere"):
        Recording(tmp_path / "other", 3.0)
