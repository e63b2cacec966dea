"""The pre-trigger ring: a clip begins before its trigger, memory is bounded, nothing else is written."""

import sys

import pytest
from rosbags.rosbag2 import Reader

from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.recorder import NOTES_ROW, Recorder
from neo_flywheel.ring import OVERHEAD, PreTrigger

RATE = 100  # Hz
STATE = {"type": "builtin_interfaces/msg/Time", "qos": "control"}
LATCHED = {"type": "builtin_interfaces/msg/Time", "qos": "latched"}
NOTES = "/neo/recorder/notes"


def stamp(i):
    return b"\x00\x01\x00\x00" + i.to_bytes(4, "little") + bytes(4)


@pytest.fixture
def ring(tmp_path, monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    made = []

    def begin(reason):
        recorder = Recorder(str(tmp_path / f"clip-{len(made)}"), {"trigger": reason}, 0.25, 0.0)
        for name, row in (("/state", STATE), ("/video", STATE), ("/tf_static", LATCHED), ("/mode", LATCHED),
                          (NOTES, NOTES_ROW)):  # fmt: skip
            recorder.add(name, row)
        made.append(recorder)
        return recorder

    def make(before=2.0, after=1.0, max_bytes=10**9, **more):
        latched = frozenset(("/tf_static", "/mode"))
        return PreTrigger(begin, before, after, max_bytes, latched=latched, **more)

    make.made = made
    return make


def play(ring, first, last):
    """States ``first`` to ``last``, of which each tells its number."""
    for i in range(first, last):
        ring.write("/state", stamp(i), i * 10**9 // RATE)


def read(recorder, topic="/state"):
    with Reader(recorder.folder) as reader:
        return [int.from_bytes(d[4:8], "little") for c, _, d in reader.messages() if c.topic == topic]


def test_a_clip_has_the_seconds_before_its_trigger_and_after_it_and_no_more(ring):
    kept = ring()
    play(kept, 0, 1000)
    assert not ring.made
    kept.trigger("surprise", 999 * 10**9 // RATE)
    play(kept, 1000, 2000)
    assert not kept.recording
    (clip,) = ring.made
    assert read(clip) == list(range(799, 1100))
    assert clip.bag.custom["trigger"] == "surprise"


def test_a_second_trigger_makes_the_clip_longer_until_it_is_as_long_as_it_may_be(ring):
    kept = ring(longest=5.0)
    play(kept, 0, 400)
    for i in range(6):
        kept.trigger("again", (399 + 50 * i) * 10**9 // RATE)
        play(kept, 400 + 50 * i, 450 + 50 * i)
    play(kept, 700, 1500)
    assert len(ring.made) == 1
    assert read(ring.made[0]) == list(range(199, 700))


def test_the_next_clip_begins_where_the_last_one_ended(ring):
    kept = ring()
    play(kept, 0, 500)
    kept.trigger("one", 499 * 10**9 // RATE)
    play(kept, 500, 700)
    kept.trigger("two", 699 * 10**9 // RATE)
    play(kept, 700, 1000)
    first, second = map(read, ring.made)
    assert first[-1] == 599
    assert second == list(range(600, 800))


def test_memory_is_bounded_in_bytes_and_the_newest_stay(ring):
    bound = 50 * (len(stamp(0)) + OVERHEAD)
    kept = ring(max_bytes=bound)
    for i in range(1000):
        kept.write("/state", stamp(i), i * 10**9 // RATE)
        assert kept.bytes <= bound
    kept.trigger("full", 999 * 10**9 // RATE)
    kept.close()
    assert read(ring.made[0]) == list(range(950, 1000))


def test_what_is_latched_stands_at_the_beginning_of_every_clip(ring):
    kept = ring(before=1.0)
    for i, topic in ((1, "/tf_static"), (2, "/tf_static"), (3, "/mode"), (4, "/mode")):
        kept.write(topic, stamp(i), i)
    for value in ("teleop", "policy"):
        kept.write(NOTES, cdr.key_value_cdr("provenance", value), 5)
    kept.write(NOTES, cdr.key_value_cdr("prompt", "wave"), 5)
    play(kept, 1, 500)
    kept.trigger("late", 499 * 10**9 // RATE)
    kept.close()
    clip = ring.made[0]
    assert read(clip, "/tf_static") == [1, 2]
    assert read(clip, "/mode") == [4]
    with Reader(clip.folder) as reader:
        notes = [cdr.key_value(d) for c, _, d in reader.messages() if c.topic == NOTES]
        assert reader.duration < 1.2e9
    assert notes == [("provenance", "policy"), ("prompt", "wave")]
    assert clip.bag.custom["autonomy"] == "1.0000"


def test_a_video_begins_with_a_picture_that_stands_alone(ring):
    kept = ring(before=1.0)
    for i in range(300):
        kept.write("/video", stamp(i), i * 10**9 // RATE, key=i % 30 == 0)
    kept.trigger("seen", 299 * 10**9 // RATE)
    kept.close()
    assert read(ring.made[0], "/video") == list(range(210, 300))


def test_where_no_clip_can_be_opened_the_ring_says_why_and_goes_on(ring, tmp_path):
    kept = ring()
    play(kept, 0, 100)
    (tmp_path / "clip-0" / "bag").mkdir(parents=True)
    kept.trigger("one", 10**9)
    assert "exists already" in kept.why
    assert not kept.recording
    (tmp_path / "clip-0" / "bag").rmdir()
    kept.trigger("two", 10**9)
    kept.close()
    assert read(ring.made[0]) == list(range(100))


@pytest.mark.parametrize("wrong", [{"before": 0.0}, {"after": -1.0}, {"max_bytes": 0}, {"longest": 0.5}])
def test_bounds_that_make_no_sense_are_refused(ring, wrong):
    with pytest.raises(NeoError, match="before and max_bytes are above 0"):
        ring(**wrong)
