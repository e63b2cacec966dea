"""Bags as they come: ours, somebody's in MCAP or sqlite3, of two robots, of an older software, too short."""

import cv2
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from replay_bags import body_rows, codec, today, write
from rosbags.interfaces import Nodetype
from rosbags.rosbag2 import StoragePlugin, Writer
from sensor_msgs.msg import CompressedImage, Image

from neo_description.errors import NeoError
from neo_flywheel.replay import codec as codec_module
from neo_flywheel.replay import source, table, verdict

BODY = table.row("body_control")


def read(bag):
    return source.read(bag, BODY, today)


def somebodys(folder, plugin, rows):
    """A bag that another program wrote."""
    store = codec()
    with Writer(folder, version=9, storage_plugin=plugin) as writer:
        connections = {}
        for topic, kind, time_ns, data in rows:
            store.fields(kind)
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store.store)
            writer.write(connections[topic], time_ns, data)
    return folder


def test_steps_come_in_the_order_of_the_log_and_topics_lose_their_namespace(tmp_path):
    given = read(write(tmp_path / "bag", body_rows(namespace="/neo1")))
    assert given.driven == 20
    assert [step.topic for step in given.steps[:5]] == [
        "body/state", "body/state", "body/state", "whole_body/command", "body/state",
    ]  # fmt: skip
    assert [step.stamp for step in given.steps[:3]] == [0, 2_000_000, 4_000_000]


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_somebodys_bag_holds_the_same_as_ours(tmp_path, plugin):
    ours = read(write(tmp_path / "ours", body_rows()))
    theirs = read(somebodys(tmp_path / "theirs", plugin, body_rows()))
    assert [step.topic for step in theirs.steps] == [step.topic for step in ours.steps]
    assert theirs.sha256 == ours.sha256
    file = next(path for path in (tmp_path / "theirs").iterdir() if path.suffix in (".mcap", ".db3"))
    assert read(file).sha256 == ours.sha256


def test_a_bag_of_two_robots_is_refused(tmp_path):
    rows = body_rows(namespace="/neo1") + body_rows(namespace="/neo2")
    with pytest.raises(NeoError, match="one robot a bag"):
        read(write(tmp_path / "bag", rows))


def test_a_bag_without_states_or_with_another_type_is_refused(tmp_path):
    commands = [row for row in body_rows() if row[0] != "/body/state"]
    with pytest.raises(NeoError, match="no message of body/state"):
        read(write(tmp_path / "commands", commands))
    wrong = [("/body/state", kind, at, data) for _, kind, at, data in commands]
    with pytest.raises(NeoError, match="body/state is neo_msgs/msg/BodyState"):
        read(write(tmp_path / "wrong", wrong))
    with pytest.raises(NeoError, match="cannot read"):
        read(tmp_path / "nothing")


def test_too_few_states_say_nothing(tmp_path):
    given = read(write(tmp_path / "bag", body_rows()))
    with pytest.raises(NeoError, match="20 messages of body/state; fewer than 250 say nothing"):
        verdict.worth_sending(given, BODY)


def test_messages_of_an_older_definition_are_migrated(tmp_path):
    # HandCommand had no grip_limit, joint_effort and compliance once
    kind, row = "neo_msgs/msg/HandCommand", table.row("r_hand_control")
    new = ("float64 grip_limit", "float64[22] joint_effort", "float64[22] compliance")
    old = "\n".join(line for line in today(kind).splitlines() if not line.startswith(new))
    was = source.Codec(lambda name: old if name == kind else today(name))
    now = codec()
    values = {name: getattr(_empty(now, kind), name) for name, _ in was.fields(kind)}
    message = was.store.types[kind](**{**values, "width": 0.07, "grasp": "hook"})
    rows = [("/r_hand/command", kind, 1, was.encode(message, kind)), _hand_state(now)]
    given = source.read(write(tmp_path / "old", rows, {kind: old}), row, today)
    assert given.migrated == [kind]
    read_back = now.decode(next(s.data for s in given.steps if s.topic == "r_hand/command"), kind)
    assert (read_back.width, read_back.grasp, read_back.grip_limit) == (0.07, "hook", 0.0)
    assert not read_back.compliance.any()


def test_a_field_that_became_another_kind_needs_a_person(tmp_path):
    kind = "neo_msgs/msg/WholeBodyCommand"
    old = today(kind).replace("float64 base_height", "float32 base_height")
    was = source.Codec(lambda name: old if name == kind else today(name))
    rows = [(t, k, at, was.encode(_empty(was, k), k) if k == kind else d) for t, k, at, d in body_rows()]
    with pytest.raises(NeoError, match="base_height was float32, and is float64 now"):
        read(write(tmp_path / "old", rows, {kind: old}))


def _empty(store, kind):
    store.fields(kind)
    return codec_module._empty((Nodetype.NAME, kind), store)


def _hand_state(store):
    kind = "neo_msgs/msg/HandState"
    return "/r_hand/state", kind, 2, store.encode(_empty(store, kind), kind)


def test_images_come_out_of_their_compressed_twins(tmp_path):
    row = table.row("perception")
    colour = np.full((24, 32, 3), (40, 90, 200), np.uint8)  # BGR
    rows = []
    for tick in range(3):
        for eye in ("left", "right"):
            image = CompressedImage(format="rgb8; jpeg compressed bgr8")
            image.header.stamp.nanosec, image.header.frame_id = tick * 100, eye
            image.data.frombytes(cv2.imencode(".jpg", colour)[1].tobytes())
            topic, kind = f"/head_camera/{eye}/image_raw/compressed", "sensor_msgs/msg/CompressedImage"
            rows.append((topic, kind, tick * 1000 + len(eye), serialize_message(image)))
    given = source.read(write(tmp_path / "bag", rows), row, today)
    assert given.driven == 3
    assert {step.topic for step in given.steps} == {row.drive, "head_camera/left/image_raw"}
    last = codec().decode(given.steps[-1].data, "sensor_msgs/msg/Image")
    assert (last.header.frame_id, last.header.stamp.nanosec, given.steps[-1].stamp) == ("right", 200, 200)
    assert (last.encoding, last.height, last.width, last.step) == ("rgb8", 24, 32, 96)
    np.testing.assert_allclose(last.data.reshape(24, 32, 3).mean(axis=(0, 1)), (200, 90, 40), atol=3)


def test_of_raw_and_compressed_images_the_raw_ones_are_taken(tmp_path):
    image = Image(height=1, width=1, encoding="rgb8", step=3, data=[1, 2, 3])
    compressed = CompressedImage(format="jpeg", data=[0])  # would not decode
    topic = "/neo/head_camera/right/image_raw"
    rows = [
        (topic, "sensor_msgs/msg/Image", 1, serialize_message(image)),
        (f"{topic}/compressed", "sensor_msgs/msg/CompressedImage", 2, serialize_message(compressed)),
    ]
    given = source.read(write(tmp_path / "bag", rows), table.row("perception"), today)
    assert [(step.topic, step.data[-3:]) for step in given.steps] == [
        ("head_camera/right/image_raw", bytes([1, 2, 3]))
    ]


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path):
    compressed = serialize_message(CompressedImage(format="jpeg", data=[0]))
    topic = "/head_camera/right/image_raw/compressed"
    bag = write(tmp_path / "bag", [(topic, "sensor_msgs/msg/CompressedImage", 2, compressed)])
    with pytest.raises(NeoError, match="right/image_raw/compressed: 1 bytes are no picture"):
        source.read(bag, table.row("perception"), today)
