"""EgoDex's hands become a track in the camera's frame; another layout is named with what it lacks."""

import h5py
import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_teleop.retargeting import egodex
from neo_teleop.retargeting.hand import HandRetargeter
from neo_teleop.retargeting.synthetic import synthetic_hand


def written(file, without="", **replaced):
    """Two of our own hands before a camera that moves through the world; what the camera sees."""
    hands = {s: synthetic_hand(s, np.random.default_rng(i), postures=1) for i, s in enumerate("lr")}
    count = len(hands["l"].points)
    camera = hands["l"].T_frame_wrist  # any poses
    with h5py.File(file, "w") as data:
        rows = {"camera": camera}
        for side, word in egodex.SIDES.items():
            for row, name in enumerate(egodex.JOINTS):
                poses = np.tile(np.eye(4), (count, 1, 1))
                seen = hands[side].points[:, row]
                poses[:, :3, 3] = np.einsum("tij,tj->ti", camera[:, :3, :3], seen) + camera[:, :3, 3]
                rows[word + name] = poses
        for name, poses in (rows | replaced).items():
            if name != without:
                data[f"transforms/{name}"] = poses
        data["confidences/rightHand"] = np.full(count, 0.25)
    return hands


def test_hands_are_found_as_the_camera_sees_them(tmp_path):
    hands = written(tmp_path / "0.hdf5")
    track = egodex.load(tmp_path / "0.hdf5")
    assert track.moments[3].time == pytest.approx(0.1)
    assert track.moments[0].confidence == {"l": 1.0, "r": 0.25}
    for side, hand in hands.items():
        for k, moment in enumerate(track.moments):
            np.testing.assert_allclose(moment.hands[side], hand.points[k], atol=1e-9)
        pose = HandRetargeter(side).retarget(track.moments[-1].hands[side])
        assert pose.error.max() < 1e-3


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"without": "camera"}, "no transforms/camera"),
        ({"without": "rightRingFingerTip"}, "no transforms/rightRingFingerTip"),
        ({"leftHand": np.zeros((6, 3))}, r"leftHand has shape \(6, 3\)"),
        ({"leftHand": np.tile(np.eye(4), (2, 1, 1))}, "left hand are not as many as the camera's, 6"),
    ],
)
def test_another_layout_is_named_with_what_it_lacks(tmp_path, changed, says):
    written(tmp_path / "0.hdf5", **changed)
    with pytest.raises(NeoError, match=says):
        egodex.load(tmp_path / "0.hdf5")


def test_what_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "0.hdf5").write_text("no")
    with pytest.raises(NeoError, match="cannot read"):
        egodex.load(tmp_path / "0.hdf5")
