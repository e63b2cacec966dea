"""Bags: an independent reader finds what was written, also after a crash and on a full disk."""

import contextlib
import sys
from pathlib import Path

import pytest
import yaml
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook
from neo_flywheel.recorder import recorded_topics

PREFIX = Path(sys.prefix)
STAMP = "builtin_interfaces/msg/Time"


@pytest.fixture
def book():
    return TypeBook([PREFIX])


def cdr(sec):
    return b"\x00\x01\x00\x00" + sec.to_bytes(4, "little") + bytes(4)


def test_a_bag_reads_back_with_its_counts_types_and_qos(tmp_path, book):
    with BagWriter(tmp_path / "bag", book, {"task": "t"}) as bag:
        a = bag.add_topic("/a", STAMP, Qos())
        b = bag.add_topic("/b", STAMP, Qos(reliable=False, latched=True, depth=1))
        for i in range(1000):
            assert bag.write(a, 10**18 + i * 10**6, cdr(i))
        assert bag.write(b, 10**18, cdr(7))
    with Reader(tmp_path / "bag") as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
        assert counts == {"/a": 1000, "/b": 1}
        assert reader.duration == 999 * 10**6 + 1
        latched = next(c for c in reader.connections if c.topic == "/b").ext.offered_qos_profiles[0]
        assert (latched.reliability.name, latched.durability.name) == ("BEST_EFFORT", "TRANSIENT_LOCAL")
        payload = [data for c, _, data in reader.messages() if c.topic == "/a"]
    assert payload == [cdr(i) for i in range(1000)]
    text = (tmp_path / "bag" / "metadata.yaml").read_text()
    assert "&id" not in text
    metadata = yaml.safe_load(text)
    assert metadata["rosbag2_bagfile_information"]["custom_data"] == {"task": "t"}


def test_definitions_and_hashes_are_those_that_rosbags_works_out_itself(book):
    store = get_typestore(Stores.ROS2_KILTED)
    for name in ("geometry_msgs/msg/WrenchStamped", "sensor_msgs/msg/CameraInfo", "nav_msgs/msg/Odometry",
                 "visualization_msgs/msg/MarkerArray", "diagnostic_msgs/msg/DiagnosticArray"):  # fmt: skip
        found = book.find(name)
        assert found.type_hash == store.hash_rihs01(name)
        assert name in get_types_from_msg(found.definition, name)


def test_every_type_of_the_graph_has_a_definition_that_parses(book):
    import neo_description

    graph = yaml.safe_load(Path(neo_description.__file__).with_name("graph.yaml").read_text())
    for row in recorded_topics(graph).values():
        found = book.find(row["type"])
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(found.definition, row["type"]))
        assert store.hash_rihs01(row["type"]) == found.type_hash


def test_an_unknown_type_is_refused(book):
    with pytest.raises(NeoError, match="no definition of the message type neo_msgs/msg/Nope"):
        book.find("neo_msgs/msg/Nope")


def test_what_was_flushed_survives_a_crash(tmp_path, book):
    bag = BagWriter(tmp_path / "bag", book, flush_period=0.0)  # never closed: as after kill -9
    topic = bag.add_topic("/a", STAMP, Qos())
    for i in range(10):
        bag.write(topic, i + 1, cdr(i))
    found = []
    with bag._file.open("rb") as stream, contextlib.suppress(McapError):
        for record in StreamReader(stream).records:
            found += [record] if isinstance(record, Message) else []
    assert [m.data for m in found] == [cdr(i) for i in range(10)]


def test_a_full_disk_ends_the_recording_with_the_reason_and_raises_nothing(tmp_path, book):
    bag = BagWriter(tmp_path / "bag", book, flush_period=0.0)
    topic = bag.add_topic("/a", STAMP, Qos())
    assert bag.write(topic, 1, cdr(1))
    real, bag._stream = bag._stream, None

    class Full:
        closed = False

        def __getattr__(self, name):
            return getattr(real, name)

        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            self.closed = True

    bag._stream = bag._writer._Writer__stream = Full()
    assert not bag.write(topic, 2, cdr(2))
    assert not bag.open
    assert "No space left on device" in bag.error
    assert not bag.write(topic, 3, cdr(3))
    bag.close()


def test_an_existing_or_read_only_place_is_refused(tmp_path, book):
    (tmp_path / "bag").mkdir()
    with pytest.raises(NeoError, match="exists already"):
        BagWriter(tmp_path / "bag", book)
    (tmp_path / "file").touch()
    with pytest.raises(NeoError, match=r"cannot record into .*: Not a directory"):
        BagWriter(tmp_path / "file" / "bag", book)


def test_the_mcap_file_has_an_index(tmp_path, book):
    with BagWriter(tmp_path / "bag", book) as bag:
        bag.write(bag.add_topic("/a", STAMP, Qos()), 5, cdr(1))
    with (tmp_path / "bag" / "bag_0.mcap").open("rb") as stream:
        summary = make_reader(stream).get_summary()
    assert summary.statistics.message_count == 1
    assert len(summary.chunk_indexes) == 1
