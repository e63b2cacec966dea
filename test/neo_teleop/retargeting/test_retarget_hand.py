"""A hand of ours, of another size, anywhere and moving, is found again from its landmarks."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.tables import HAND
from neo_teleop.retargeting.hand import HandRetargeter
from neo_teleop.retargeting.hand_model import hand_model
from neo_teleop.retargeting.synthetic import posture, synthetic_hand

TOUCH = 1e-9  # m of rounding


def follow(retargeter, track):
    return [retargeter.retarget(points) for points in track.points]


@pytest.mark.parametrize(("side", "seed"), [("l", 0), ("r", 1)])
def test_a_moving_hand_of_another_size_is_followed_to_a_hundredth_of_a_millimetre(side, seed):
    track = synthetic_hand(side, np.random.default_rng(seed), postures=3)
    for pose, joints, T in zip(
        follow(HandRetargeter(side), track), track.joints, track.T_frame_wrist, strict=True
    ):
        assert pose.scale == pytest.approx(track.scale, abs=1e-9)
        np.testing.assert_allclose(pose.T_frame_wrist, T, atol=1e-9)
        assert pose.error.max() < 1e-5
        np.testing.assert_allclose(pose.joints, joints, atol=5e-3)


def test_a_first_frame_is_found_from_nothing():
    rng = np.random.default_rng(5)
    for side in ("l", "r", "l", "r"):
        q = posture(hand_model(side), rng)
        pose = HandRetargeter(side).retarget(1.1 * hand_model(side).at(q))
        assert pose.error.max() < 1e-3


@pytest.mark.parametrize("noise", [1e-3, 5e-3])
def test_noise_costs_accuracy_but_neither_limits_nor_clearance(noise):
    track = synthetic_hand("r", np.random.default_rng(2), postures=3, noise=noise)
    retargeter, errors = HandRetargeter("r"), []
    tips = [4, 8, 12, 16, 20]
    for pose, joints, T in zip(follow(retargeter, track), track.joints, track.T_frame_wrist, strict=True):
        assert (pose.joints >= HAND.q_min).all()
        assert (pose.joints <= HAND.q_max).all()
        assert retargeter.hand.clearance(pose.joints) >= -TOUCH
        mine, true = (
            scale * retargeter.hand.at(q)[tips] @ at[:3, :3].T + at[:3, 3]
            for scale, q, at in ((pose.scale, pose.joints, pose.T_frame_wrist), (track.scale, joints, T))
        )
        errors.append(np.linalg.norm(mine - true, axis=1))
    assert np.mean(errors) < 2.5 * noise


def test_fingers_that_a_tracker_sees_in_each_other_stay_apart():
    hand = hand_model("l")
    points = hand.at(np.full(22, 0.3).clip(HAND.q_min, HAND.q_max))
    points[5:9] = points[9:13]  # the index where the middle finger is
    retargeter = HandRetargeter("l")
    for _ in range(5):
        assert hand.clearance(retargeter.retarget(points).joints) >= -TOUCH


def test_the_same_track_gives_the_same_joints_also_after_a_reset():
    track = synthetic_hand("l", np.random.default_rng(3), postures=2, noise=1e-3)
    retargeter = HandRetargeter("l")
    first = [pose.joints for pose in follow(retargeter, track)]
    retargeter.reset()
    for again in (retargeter, HandRetargeter("l")):
        np.testing.assert_array_equal(first, [pose.joints for pose in follow(again, track)])


def test_webxr_s_25_joints_give_what_their_21_landmarks_give():
    track = synthetic_hand("r", np.random.default_rng(4), postures=1)
    points = track.points[0]
    with_metacarpals = np.insert(points, [5, 9, 13, 17], points[[0, 0, 0, 0]] + 0.02, axis=0)
    a, b = HandRetargeter("r").retarget(points), HandRetargeter("r").retarget(with_metacarpals)
    np.testing.assert_array_equal(a.joints, b.joints)


@pytest.mark.parametrize("factor", [0.3, 1000.0])
def test_a_hand_of_no_person_s_size_is_refused_and_changes_nothing(factor):
    track = synthetic_hand("r", np.random.default_rng(6), postures=2)
    disturbed, calm = HandRetargeter("r"), HandRetargeter("r")
    for points in track.points[:12]:
        wanted = calm.retarget(points)
        with pytest.raises(NeoError, match=r"times as large .* 0\.6 to 1\.6 allowed: are they in metres"):
            disturbed.retarget(factor * points)
        got = disturbed.retarget(points)
        np.testing.assert_array_equal(got.joints, wanted.joints)
        assert got.scale == wanted.scale


def test_a_side_that_is_none_is_refused():
    with pytest.raises(NeoError, match="no side 'left'; one of l, r"):
        HandRetargeter("left")
