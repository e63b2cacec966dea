"""Landmark tracks come back as they were; what is none is refused by its line."""

import json

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_teleop.retargeting.landmark_track import LandmarkTrack, Moment

FIRST = '{"landmarks": 1, "about": {}}'
HAND = json.dumps({"points": np.ones((21, 3)).tolist()})


def test_a_track_comes_back_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    moments = [
        Moment(0.1, {"l": rng.random((21, 3)), "r": rng.random((21, 3))}, rng.random((12, 3)), {"l": 0.5}),
        Moment(0.2, {}, None, {}),
    ]
    LandmarkTrack(moments, {"prompt": "wave"}).save(tmp_path / "new" / "a.jsonl")
    read = LandmarkTrack.load(tmp_path / "new" / "a.jsonl")
    assert read.about == {"prompt": "wave"}
    assert [m.time for m in read.moments] == [0.1, 0.2]
    for side in ("l", "r"):
        np.testing.assert_array_equal(read.moments[0].hands[side], moments[0].hands[side])
    np.testing.assert_array_equal(read.moments[0].body, moments[0].body)
    assert read.moments[0].confidence == {"l": 0.5, "r": 1.0, "body": 1.0}
    assert not read.moments[1].hands


def test_what_is_not_sure_enough_is_not_seen():
    moment = Moment(
        0.0, {"l": np.ones((21, 3)), "r": np.ones((21, 3))}, np.ones((12, 3)), {"l": 0.4, "body": 0.6}
    )
    assert list(moment.sure(0.5).hands) == ["r"]
    assert moment.sure(0.5).body is not None
    assert moment.sure(0.7).body is None


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ('{"time": 0.0}\n{"time": 0.0}', r"line 3 .*does not follow 0\.0"),
        ('{"time": NaN}', "line 2 .*does not follow"),
        ('{"l": null}', "line 2 .*time"),
        ('{"time": 0, "l": {"points": [[1, 2]]}}', r"line 2: a hand's 21 landmarks: shape \(1, 2\) given"),
        ('{"time": 0, "r": {"points": "x"}}', "line 2: a hand's landmarks: no array of numbers"),
        (
            f'{{"time": 0, "r": {HAND[:-1]}, "confidence": 2}}}}',
            "line 2 .*confidence 2.0 of r; 0 to 1 allowed",
        ),
        ('{"time": 0, "body": {"points": [[NaN, 0, 0]]}}', "line 2: a body's joints: shape"),
        ("[1]", "line 2"),
        ("", "holds no moment"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path, second, says):
    (tmp_path / "a.jsonl").write_text(f"{FIRST}\n{second}")
    with pytest.raises(NeoError, match=rf"a\.jsonl.*{says}"):
        LandmarkTrack.load(tmp_path / "a.jsonl")


@pytest.mark.parametrize("first", ['{"landmarks": 2}', "{}", "no json"])
def test_another_format_is_refused(tmp_path, first):
    (tmp_path / "a.jsonl").write_text(first)
    with pytest.raises(NeoError, match="line 1"):
        LandmarkTrack.load(tmp_path / "a.jsonl")


def test_a_frame_is_twelve_or_sixteen_numbers_that_are_a_pose():
    T = np.eye(4)
    T[:3, 3] = 1.0, 2.0, 3.0
    for given in (T.tolist(), T[:3].ravel().tolist()):
        np.testing.assert_array_equal(LandmarkTrack(about={"T_base_frame": given}).T_base_frame, T)
    for given in ([1, 2], (2 * T).tolist(), "eye", np.full(12, np.nan).tolist()):
        with pytest.raises(NeoError, match="T_base_frame"):
            _ = LandmarkTrack(about={"T_base_frame": given}).T_base_frame
