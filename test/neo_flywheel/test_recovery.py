"""Recovery of cut-off bags: nothing before the cut changes, and readers that are not ours open the rest."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from mcap.opcode import Opcode
from mcap.reader import make_reader
from rosbags.rosbag2 import Reader

from neo_bringup import cli
from neo_description.errors import NeoError
from neo_flywheel import cdr, recovery
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook
from neo_flywheel.provenance import NOTE_TYPE
from neo_flywheel.scan import scan

STAMP = "builtin_interfaces/msg/Time"
COUNT = 400


def stamp(i):
    return b"\x00\x01\x00\x00" + i.to_bytes(4, "little") + bytes(4)


@pytest.fixture
def bag(tmp_path):
    """A whole bag of four chunks; notes say that a policy acted for three quarters."""
    with BagWriter(tmp_path / "bag", TypeBook([Path(sys.prefix)]), {"task": "wave"}) as writer:
        topic = writer.add_topic("/a", STAMP, Qos(reliable=False))
        notes = writer.add_topic("/neo/recorder/notes", NOTE_TYPE, Qos(latched=True))
        for i in range(COUNT):
            if i in (0, 300):
                writer.write(notes, i * 10**6, cdr.key_value_cdr("provenance", "safety" if i else "policy"))
            writer.write(topic, i * 10**6, stamp(i))
            if i % 100 == 99:
                writer.flush()
    return tmp_path / "bag"


def by_rosbags(folder):
    with Reader(folder) as reader:
        return [data for c, _, data in reader.messages() if c.topic == "/a"]


def by_mcap(folder):
    (file,) = folder.glob("*.mcap")
    with file.open("rb") as stream:
        return [m.data for _, _, m in make_reader(stream, validate_crcs=True).iter_messages(topics="/a")]


def chunks(file):
    return scan(file).chunks


def test_a_file_cut_anywhere_keeps_its_whole_chunks_byte_for_byte(bag):
    file = bag / "bag_0.mcap"
    whole = file.read_bytes()
    ends = [chunk.chunk_start_offset + chunk.chunk_length for chunk in chunks(file)]
    assert len(ends) == 4
    first = chunks(file)[0].chunk_start_offset
    for cut in [first, first + 1, *(end + d for end in ends for d in (-1, 0, 1, 40)), len(whole) - 1]:
        file.write_bytes(whole[:cut])
        (bag / "metadata.yaml").unlink(missing_ok=True)
        (done,) = recovery.recover(bag)
        kept = 100 * sum(end <= cut for end in ends)
        mended = file.read_bytes()
        last = max([end for end in ends if end <= cut], default=first)
        assert mended[:last] == whole[:last], cut
        assert (bag / "bag_0.mcap.cut").read_bytes() == whole[:cut]
        assert not done.whole
        expected = [stamp(i) for i in range(kept)]
        assert by_mcap(bag) == expected, cut
        assert by_rosbags(bag) == expected, cut


def test_the_recovered_metadata_is_that_of_the_whole_bag(bag):
    before = yaml.safe_load((bag / "metadata.yaml").read_text())
    file = bag / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    (bag / "metadata.yaml").unlink()
    recovery.recover(bag)
    after = yaml.safe_load((bag / "metadata.yaml").read_text())
    assert after == before
    custom = after["rosbag2_bagfile_information"]["custom_data"]
    assert custom["task"] == "wave"
    assert float(custom["autonomy"]) == pytest.approx(300 / 399, abs=1e-3)


def test_a_whole_file_is_not_touched(bag):
    before = (bag / "bag_0.mcap").read_bytes()
    (bag / "metadata.yaml").unlink()
    (done,) = recovery.recover(bag)
    assert (done.whole, done.lost, done.messages) == (True, 0, COUNT + 2)
    assert (bag / "bag_0.mcap").read_bytes() == before
    assert not (bag / "bag_0.mcap.cut").exists()
    assert len(by_rosbags(bag)) == COUNT


def test_a_damaged_chunk_is_passed_over_and_the_ones_behind_it_are_read(bag):
    file = bag / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    chunk = chunks(file)[1]
    data[chunk.chunk_start_offset + chunk.chunk_length // 2] ^= 0xFF
    file.write_bytes(data[:-100])
    (done,) = recovery.recover(bag)
    assert done.skipped == 1
    assert by_mcap(bag) == [stamp(i) for i in range(COUNT) if not 100 <= i < 200]


@pytest.mark.parametrize("cut", [0, 100])
def test_after_a_damaged_chunk_each_index_leads_to_its_own_chunk(bag, cut):
    file = bag / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    chunk = chunks(file)[1]
    data[chunk.chunk_start_offset + chunk.chunk_length // 2] ^= 0xFF
    file.write_bytes(data[: len(data) - cut])
    recovery.recover(bag)
    mended = file.read_bytes()
    with file.open("rb") as stream:
        indexes = make_reader(stream).get_summary().chunk_indexes
    assert len(indexes) == 3
    for index in indexes:
        begin = index.chunk_start_offset + index.chunk_length
        offsets = sorted(index.message_index_offsets.values())
        assert begin <= offsets[0] <= offsets[-1] < begin + index.message_index_length
        assert all(mended[offset] == Opcode.MESSAGE_INDEX for offset in offsets)
    assert len(by_rosbags(bag)) == 300


def test_a_bag_whose_definitions_are_damaged_is_refused_and_stays(bag):
    file = bag / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    chunk = chunks(file)[0]
    data[chunk.chunk_start_offset + chunk.chunk_length // 2] ^= 0xFF
    file.write_bytes(data[:-100])
    with pytest.raises(NeoError, match="no way back"):
        recovery.recover(bag)
    assert file.read_bytes() == data[:-100]
    assert not (bag / "bag_0.mcap.cut").exists()


def test_reindex_makes_only_the_metadata_and_refuses_a_cut_off_file(bag):
    before = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text("broken: [")
    recovery.reindex(bag)
    after = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert after == yaml.safe_load(before)["rosbag2_bagfile_information"]
    file = bag / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(NeoError, match="is cut off; `neo bag recover"):
        recovery.reindex(bag)


@pytest.mark.parametrize("content", [b"", b"\x89MCAP0\r\n", b"not a bag at all"])
def test_what_holds_nothing_is_refused_and_stays(tmp_path, content):
    file = tmp_path / "x.mcap"
    file.write_bytes(content)
    with pytest.raises(NeoError, match=r"no MCAP file|nothing that is whole"):
        recovery.recover(file)
    assert file.read_bytes() == content
    assert [f.name for f in tmp_path.iterdir()] == ["x.mcap"]


def test_the_command_recovers_several_and_says_what_is_left(bag, capsys):
    file = bag / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    assert cli.main(["bag", "recover", str(bag), str(file)]) == 0
    out = capsys.readouterr().out
    assert f"{COUNT + 2} messages kept" in out
    assert "whole" in out
    assert cli.main(["bag", "info", str(bag)]) == 0
    out = capsys.readouterr().out
    assert "/a (builtin_interfaces/msg/Time)" in out
    assert "task: wave" in out
    assert cli.main(["bag", "info", str(bag), "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["whole"]
    assert facts["notes"]["task"] == "wave"
    assert facts["topics"]["/a"] == {"count": COUNT, "type": "builtin_interfaces/msg/Time"}
    assert cli.main(["bag", "recover", str(bag / "none")]) == 2


WRITER = """
    import sys, time
    from pathlib import Path
    from neo_flywheel.bag import BagWriter, Qos
    from neo_flywheel.message_types import TypeBook
    bag = BagWriter(Path(sys.argv[1]), TypeBook([Path(sys.prefix)]), flush_period=0.05)
    topic = bag.add_topic("/a", "builtin_interfaces/msg/Time", Qos())
    i = 0
    while True:
        bag.write(topic, i + 1, b"\\0\\1\\0\\0" + i.to_bytes(4, "little") + bytes(4))
        i += 1
        if i % 50 == 0:
            print(i, flush=True)
            time.sleep(0.01)
"""


@pytest.mark.parametrize("chapters", [3, 11, 40])
def test_a_writer_that_is_killed_leaves_a_bag_without_a_hole(tmp_path, chapters):
    """A real process, killed with SIGKILL while it writes."""
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path / "bag")],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    for _ in range(chapters):
        written = int(child.stdout.readline())
    child.kill()
    child.communicate()
    assert not (tmp_path / "bag" / "metadata.yaml").exists()
    recovery.recover(tmp_path / "bag")
    found = by_mcap(tmp_path / "bag")
    assert found == [stamp(i) for i in range(len(found))]
    assert found == by_rosbags(tmp_path / "bag")
    assert chapters < 40 or len(found) > written / 2
