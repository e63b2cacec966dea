"""Ingest: whole recordings become rows and objects; broken ones go to quarantine with a reason."""

import shutil
from pathlib import Path

import pytest
import yaml

from neo_bringup.flywheel_bench import bags
from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.store.bag_metadata import INFORMATION, POLICIES
from neo_flywheel.store.catalogue import Filters
from neo_flywheel.store.library import REASON, Library, recordings
from neo_flywheel.store.rebag import BagReader
from neo_flywheel.store.validate import validate


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    return bags.made(tmp_path_factory.mktemp("made") / "bag", states=120)


@pytest.fixture
def bag(made_once, tmp_path):
    return Path(shutil.copytree(made_once, tmp_path / "given" / "bag"))


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library") as opened:
        yield opened


def change(bag, edit):
    file = bag / "metadata.yaml"
    content = yaml.safe_load(file.read_text())
    edit(content[INFORMATION])
    file.write_text(yaml.safe_dump(content))


def test_a_recording_becomes_a_row_with_what_it_says_of_itself(library, bag):
    added = library.add_bag(bag, ["kitchen"])
    row = library.catalogue.get(str(added.id))
    assert (row.robot, row.prompt, row.outcome, row.kind) == (
        "neo1",
        "put the cup on the tray",
        "done",
        "bag",
    )
    assert (row.time, row.messages, row.tags) == (bags.BEGIN / 1e9, 120 * 3 + 3 + 12 + 2, ("kitchen",))
    assert row.duration == pytest.approx(119 * 0.002)
    assert row.autonomy == 0.5
    assert 0.2 < row.surprise <= 0.8
    assert row.size == sum(file.stat().st_size for file in bag.iterdir())


def test_what_is_fetched_is_byte_for_byte_what_was_added(library, bag, tmp_path):
    row = library.catalogue.get(str(library.add_bag(bag).id))
    library.fetch(row, tmp_path / "back")
    assert {f.name: f.read_bytes() for f in (tmp_path / "back").iterdir()} == {
        f.name: f.read_bytes() for f in bag.iterdir()
    }


def test_the_same_recording_twice_is_one_row_and_nothing_is_sent_again(library, bag, tmp_path):
    first = library.add_bag(bag)
    sent = library.objects.sent
    again = library.add_bag(Path(shutil.copytree(bag, tmp_path / "elsewhere")))
    assert (again.id, again.new, first.new) == (first.id, False, True)
    assert library.objects.sent == sent
    assert library.catalogue.count()["episodes"] == 1


def test_an_ingest_that_ended_before_its_row_is_done_again(library, bag):
    added = library.add_bag(bag)
    library.catalogue._db.execute("DELETE FROM episodes")
    again = library.add_bag(bag)
    assert (again.new, again.sha256) == (True, added.sha256)


def name_file(about, name):
    about.update(relative_file_paths=[name])
    about["files"][0]["path"] = name


def first_topic(about):
    return about["topics_with_message_count"][0]["topic_metadata"]


def profile(about):
    return first_topic(about)["offered_qos_profiles"][0]


@pytest.mark.parametrize(
    ("reason", "edit"),
    [
        ("says message_count 7", lambda about: about.update(message_count=7)),
        ("says duration 1", lambda about: about["duration"].update(nanoseconds=1)),
        ("says starting_time 5", lambda about: about["starting_time"].update(nanoseconds_since_epoch=5)),
        ("of version 99", lambda about: about.update(version=99)),
        ("mcap is read", lambda about: about.update(storage_identifier="sqlite3")),
        ("a plain name", lambda about: about.update(relative_file_paths=["../bag_0.mcap"])),
        ("do not name the same", lambda about: about["files"].clear()),
        ("of bag_0.mcap that its messages do not", lambda about: about["files"][0].update(message_count=1)),
        ("depth is missing", lambda about: profile(about).pop("depth")),
        ("history 'never'; one of system_default", lambda about: profile(about).update(history="never")),
        ("another quality than", lambda about: profile(about)["lifespan"].update(sec=7)),
        ("another quality than", lambda about: profile(about).update(reliability="best_effort")),
        ("sec is '-1'", lambda about: profile(about)["lifespan"].update(sec=-1)),
        ("ros_distro is '1.5'", lambda about: about.update(ros_distro=1.5)),
        ("nope.mcap is missing", lambda about: name_file(about, "nope.mcap")),
        ("leaves out bag_0.mcap", lambda about: about.update(relative_file_paths=[], files=[])),
        ("leaves out the topic", lambda about: about["topics_with_message_count"].pop(0)),
        ("metadata.yaml says 3", lambda about: about["topics_with_message_count"][0].update(message_count=3)),
        ("metadata.yaml says a/msg/B",
         lambda about: first_topic(about).update(type="a/msg/B")),
        ("not what its hash",
         lambda about: first_topic(about).update(type_description_hash="RIHS01_0")),
        ("custom_data", lambda about: about.update(custom_data=[1])),
        ("duration is 'None'", lambda about: about.update(duration=None)),
    ],
)  # fmt: skip
def test_metadata_that_does_not_agree_is_quarantined_with_the_reason(library, bag, reason, edit):
    change(bag, edit)
    added = library.add_bag(bag)
    assert reason in added.reason
    row = library.catalogue.quarantined()[0]
    assert row["reason"] == added.reason
    assert added.reason in (Path(row["folder"]) / REASON).read_text()
    kept = {f.name: f.read_bytes() for f in Path(row["folder"]).iterdir() if f.name != REASON}
    assert kept == {f.name: f.read_bytes() for f in bag.iterdir()}
    assert library.catalogue.count()["episodes"] == 0


def cut(data):
    return data[: len(data) * 2 // 3]


@pytest.mark.parametrize(
    ("reason", "edit"),
    [
        ("cut off", cut),
        ("does not end where it should", lambda data: data[:-3]),
        ("does not end where it should", lambda data: data + b"more"),
        ("no MCAP file", lambda data: b"x" + data),
        ("no MCAP file", lambda data: b""),
        ("broken", lambda data: data[:3000] + bytes([data[3000] ^ 1]) + data[3001:]),
    ],
)
def test_a_broken_file_is_quarantined_with_the_reason(library, bag, reason, edit):
    file = bag / "bag_0.mcap"
    file.write_bytes(edit(file.read_bytes()))
    assert reason in library.add_bag(bag).reason


def test_a_recording_cut_off_before_its_metadata_is_quarantined_once(library, bag):
    (bag / "metadata.yaml").unlink()
    first, again = library.add_bag(bag), library.add_bag(bag)
    assert "cut off, or is not done yet" in first.reason
    assert (first.new, again.new) == (True, False)
    assert len(library.catalogue.quarantined()) == 1


def test_clocks_that_were_never_set_step_back_or_are_ahead_are_told(tmp_path, bag):
    assert validate(bag).messages
    with pytest.raises(NeoError, match=r"ahead; a day is allowed"):
        validate(bag, now=bags.BEGIN / 1e9 - 2 * 86400)
    with pytest.raises(NeoError, match="its clock was not set"):
        validate(bags.made(tmp_path / "old", states=2, begin=10**9))
    with BagWriter(tmp_path / "back", bags.book()) as back:
        topic = back.add_topic("/a", "builtin_interfaces/msg/Time", Qos())
        for at in (10, 0, 20):
            back.write(topic, bags.BEGIN + at * 10**9, bytes([0, 1, 0, 0]) + bytes(8))
    with pytest.raises(NeoError, match=r"steps back by 10\.0 s"):
        validate(tmp_path / "back")


def test_an_empty_recording_and_messages_of_another_type_are_told(tmp_path):
    BagWriter(tmp_path / "empty", bags.book()).close()
    with pytest.raises(NeoError, match="it is empty"):
        validate(tmp_path / "empty")
    with BagWriter(tmp_path / "wrong", bags.book()) as wrong:
        topic = wrong.add_topic("/a", "std_msgs/msg/String", Qos())
        wrong.write(topic, bags.BEGIN, bytes([0, 1, 0, 0]) + b"\xff\xff\xff\x7f")
    with pytest.raises(NeoError, match=r"/a holds a message that is no std_msgs/msg/String"):
        validate(tmp_path / "wrong")


def test_a_folder_without_a_recording_is_refused_and_not_copied(library, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(NeoError, match="holds no recording"):
        library.add_bag(tmp_path / "photos")
    assert library.catalogue.quarantined() == []


def test_recordings_are_found_under_a_folder(bag, tmp_path):
    bags.made(tmp_path / "given" / "two" / "bag", states=2)
    assert recordings(tmp_path / "given") == [bag, tmp_path / "given" / "two" / "bag"]
    with pytest.raises(NeoError, match="does not exist"):
        recordings(tmp_path / "nowhere")


def test_a_clip_has_its_trigger_as_a_tag(library, tmp_path):
    added = library.add_bag(bags.made(tmp_path / "clip", states=2, custom={"trigger": "surprise"}))
    assert library.catalogue.find(Filters(tags=("trigger:surprise",)))[0].id == added.id
    assert library.catalogue.get(str(added.id)).kind == "clip"


def test_a_recording_of_an_older_rosbag2_is_taken(library, bag):
    """Version 8 wrote quality of service as YAML text with rmw's numbers."""

    def older(about):
        about.update(version=8)
        for row in about["topics_with_message_count"]:
            for offered in row["topic_metadata"]["offered_qos_profiles"]:
                for name, words in POLICIES.items():
                    offered[name] = words.index(offered[name])
            text = yaml.safe_dump(row["topic_metadata"]["offered_qos_profiles"])
            row["topic_metadata"]["offered_qos_profiles"] = text

    change(bag, older)
    assert library.add_bag(bag).reason == ""
    assert BagReader(bag).qos("/neo1/safety/state").latched
