"""Tracks: what is saved is what is read, and what is not a track is refused."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.track import Track

FIRST = '{"track": 1, "about": {}}'
EMPTY = '\n{{"time": {}, "heading": 0.0, "look": null, "hands": {{}}}}'


def test_a_track_comes_back_to_the_last_bit(tmp_path):
    rng, frames = np.random.default_rng(0), []
    for i in range(20):
        T = np.eye(4)
        T[:3] = rng.standard_normal((3, 4))
        hand = HandFrame(T, bool(i % 3), rng.random(), "box_wrap", rng.random(), bool(i % 2))
        look = None if i % 4 else rng.standard_normal(3)
        frames.append(OperatorFrame(i / 7, {"l": hand} if i % 5 else {}, rng.random(), look))
    file = tmp_path / "tracks" / "one.jsonl"
    Track(frames, {"kind": "teleop", "seed": 3}).save(file)
    read = Track.load(file)
    assert read.about == {"kind": "teleop", "seed": 3}
    assert read.duration == 19 / 7
    for a, b in zip(frames, read.frames, strict=True):
        assert (a.time, a.heading, list(a.hands)) == (b.time, b.heading, list(b.hands))
        np.testing.assert_array_equal(np.array(a.look, float), np.array(b.look, float))
        for side, hand in a.hands.items():
            np.testing.assert_array_equal(hand.T_user_hand, b.hands[side].T_user_hand)
            assert (hand.clutch, hand.trigger, hand.grasp, hand.width, hand.give) == (
                b.hands[side].clutch, b.hands[side].trigger, b.hands[side].grasp, b.hands[side].width,
                b.hands[side].give,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "no frame"), (FIRST + 2 * EMPTY.format(1.0), "line 3"),
     (FIRST + EMPTY.format("Infinity"), "finite"),
     ('{"track": 2, "about": {}}', "line 1"), ("nonsense", "line 1"),
     (FIRST + '\n{"time": 0.0}', "line 2"),
     (FIRST + '\n{"time": 0, "heading": 0, "look": null, "hands": {"x": {}}}', "one of l")],
)  # fmt: skip
def test_what_is_no_track_is_refused(tmp_path, text, word):
    file = tmp_path / "bad.jsonl"
    file.write_text(text)
    with pytest.raises(NeoError, match=word):
        Track.load(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(NeoError, match="cannot read"):
        Track.load(tmp_path / "none.jsonl")
