"""Recordings cut and put together: every message once, in pieces that an independent reader finds whole."""

import pytest
import yaml
from rosbags.rosbag2 import Reader

from neo_bringup.flywheel_bench import bags
from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.store.bag_metadata import INFORMATION
from neo_flywheel.store.rebag import BagReader, merge, split
from neo_flywheel.store.validate import validate


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return bags.made(tmp_path_factory.mktemp("made") / "bag", states=260)  # 0.52 s


def messages(*folders):
    """By rosbags: time, topic, type, hash, bytes."""
    found = []
    for folder in folders:
        with Reader(folder) as reader:
            found += [(t, c.topic, c.msgtype, c.digest, bytes(data)) for c, t, data in reader.messages()]
    return found


def begins(pieces):
    return [round((messages(piece)[0][0] - bags.BEGIN) / 1e9, 3) for piece in pieces]


@pytest.mark.parametrize(
    ("how", "at"), [({"every": 0.2}, [0.0, 0.2, 0.4]), ({"at": [0.3, 0.1]}, [0.0, 0.1, 0.3])]
)
def test_pieces_by_time_hold_every_message_once_and_merge_to_the_whole(bag, tmp_path, how, at):
    pieces = split(bag, tmp_path / "pieces", **how)
    assert begins(pieces) == at
    assert messages(*pieces) == messages(bag)
    assert all(validate(piece).messages for piece in pieces)
    whole = merge(pieces, tmp_path / "whole")
    assert sorted(messages(whole)) == sorted(messages(bag))
    assert [row[0] for row in messages(whole)] == [row[0] for row in messages(bag)]
    assert BagReader(whole).custom == {
        "namespace": "/neo1", "task": "put the cup on the tray", "split_from": "bag",
        "merged_from": "bag_000, bag_001, bag_002",
    }  # fmt: skip
    qos = {name: BagReader(bag).qos(name) for name in BagReader(bag).topics}
    assert {name: BagReader(whole).qos(name) for name in qos} == qos
    assert qos["/neo1/safety/state"].latched


@pytest.fixture
def gapped(tmp_path):
    """/a at 0, 1, 2, 7, 8 s; /b every second to 8 s."""
    with BagWriter(tmp_path / "gapped", bags.book()) as bag:
        a, b = (bag.add_topic(name, "builtin_interfaces/msg/Time", Qos()) for name in ("/a", "/b"))
        for second in range(9):
            if second in (0, 1, 2, 7, 8):
                bag.write(a, bags.BEGIN + second * 10**9, bytes([0, 1, 0, 0]) + bytes(8))
            bag.write(b, bags.BEGIN + second * 10**9 + 1, bytes([0, 1, 0, 0]) + bytes(8))
    return tmp_path / "gapped"


def test_a_piece_begins_where_a_topic_was_silent(gapped, tmp_path):
    pieces = split(gapped, tmp_path / "by_a", gap=2.0, topic="/a")
    assert begins(pieces) == [0.0, 7.0]
    assert messages(*pieces) == messages(gapped)
    assert len(split(gapped, tmp_path / "by_all", gap=2.0)) == 1


def test_latched_messages_are_repeated_when_asked_for(bag, tmp_path):
    pieces = split(bag, tmp_path / "pieces", every=0.25, repeat_latched=True)
    safety = [[row for row in messages(piece) if row[1] == "/neo1/safety/state"] for piece in pieces]
    assert safety[1][0][4] == safety[0][-1][4]
    assert safety[1][0][0] == messages(pieces[1])[0][0]
    assert len(messages(*pieces)) == len(messages(bag)) + len(pieces) - 1


@pytest.mark.parametrize(
    ("how", "said"),
    [({}, "one of every, at and gap"), ({"every": 1.0, "gap": 1.0}, "one of every, at and gap"),
     ({"every": 0.0}, "above 0"), ({"at": [-1.0]}, "above 0"),
     ({"gap": 1.0, "topic": "/nope"}, "has no topic /nope; it has /neo1/body/state")],
)  # fmt: skip
def test_what_cannot_be_split_by_is_refused_and_leaves_nothing(bag, tmp_path, how, said):
    with pytest.raises(NeoError, match=said):
        split(bag, tmp_path / "pieces", **how)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_taken_is_not_written_over(bag, tmp_path):
    (tmp_path / "pieces").mkdir()
    with pytest.raises(NeoError, match="is there already"):
        split(bag, tmp_path / "pieces", every=1.0)
    with pytest.raises(NeoError, match="is there already"):
        merge([bag, bag], tmp_path / "pieces")


def test_a_broken_recording_is_named_and_nothing_is_written(bag, tmp_path):
    broken = bags.made(tmp_path / "broken", states=2)
    (broken / "metadata.yaml").unlink()
    with pytest.raises(NeoError, match=r"broken: metadata\.yaml is missing"):
        merge([bag, broken], tmp_path / "whole")
    assert [f.name for f in tmp_path.iterdir()] == ["broken"]
    with pytest.raises(NeoError, match="two recordings or more"):
        merge([bag], tmp_path / "whole")


def test_a_topic_of_two_types_is_not_merged(gapped, tmp_path):
    with BagWriter(tmp_path / "other", bags.book()) as other:
        topic = other.add_topic("/a", "std_msgs/msg/Bool", Qos())
        other.write(topic, bags.BEGIN, bytes([0, 1, 0, 0, 1]))
    with pytest.raises(
        NeoError, match=r"/a is std_msgs/msg/Bool in .*other, and builtin_interfaces/msg/Time"
    ):
        merge([gapped, tmp_path / "other"], tmp_path / "whole")
    assert not (tmp_path / "whole").exists()


def test_metadata_of_the_pieces_say_their_own_counts(bag, tmp_path):
    pieces = split(bag, tmp_path / "pieces", every=0.2)
    about = yaml.safe_load((pieces[1] / "metadata.yaml").read_text())[INFORMATION]
    counts = {r["topic_metadata"]["name"]: r["message_count"] for r in about["topics_with_message_count"]}
    assert counts["/neo1/body/state"] == 100
    assert about["custom_data"]["part"] == "1"
