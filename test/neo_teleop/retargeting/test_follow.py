"""A landmark track becomes motions: gaps end them, doubts are left out and said, bodies lead the arms."""

import numpy as np

from neo_description.tables import HAND, SIDES
from neo_teleop.retargeting.body_model import READY, ROWS, body_model
from neo_teleop.retargeting.follow import follow
from neo_teleop.retargeting.hand_model import hand_model
from neo_teleop.retargeting.landmark_track import LandmarkTrack, Moment
from neo_teleop.retargeting.synthetic import person

FLAT = np.zeros(len(HAND.joints))


def at(T, points):
    return points @ T[:3, :3].T + T[:3, 3]


def somewhere():
    T = np.eye(4)
    T[:3, :3] = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    T[:3, 3] = 1.0, 2.0, 3.0
    return T


def seen(time, q=READY[ROWS], sides=SIDES, body=True, T=None, **confidence):
    """Somebody of our proportions with flat hands, in a frame of their own."""
    T = somewhere() if T is None else T
    joints, wrists = person(body_model(), q)
    hands = {s: at(T @ wrists[s], hand_model(s).at(FLAT)) for s in sides}
    return Moment(time, hands, at(T, joints) if body else None, confidence)


def test_body_and_hands_of_a_person_become_the_robot_s_own_pose():
    q = READY[ROWS].copy()
    q[5:12] += 0.3  # the left arm
    (motion,) = follow(LandmarkTrack([seen(k / 30, q) for k in range(10)])).motions
    np.testing.assert_allclose(motion.body[-1][ROWS], q, atol=0.03)
    assert motion.body.shape == (10, 31)
    for side in SIDES:
        np.testing.assert_allclose(motion.hands[side][-1], FLAT, atol=2e-3)


def test_hands_alone_are_reached_from_where_the_track_says_its_frame_is():
    T = somewhere()
    about = {"T_base_frame": np.linalg.inv(T).ravel().tolist()}
    moments = [seen(k / 30, sides=("l",), body=False, T=T) for k in range(10)]
    (motion,) = follow(LandmarkTrack(moments, about)).motions
    np.testing.assert_allclose(motion.body[-1], READY, atol=0.03)
    assert set(motion.hands) == {"l"}


def test_a_short_gap_is_bridged_and_a_long_one_ends_the_motion():
    times = [0.0, 0.1, 0.5, 0.6, 1.2, 1.3]
    found = follow(LandmarkTrack([seen(time) for time in times]))
    assert [motion.times.tolist() for motion in found.motions] == [times[:4], times[4:]]


def test_a_hand_out_of_sight_stays_as_it_was_until_it_is_lost():
    moments = [seen(k / 10, sides=SIDES if k < 3 else ("l",)) for k in range(12)]
    first, second = follow(LandmarkTrack(moments)).motions
    assert set(first.hands) == {"l", "r"}
    np.testing.assert_array_equal(first.hands["r"][-1], first.hands["r"][2])
    assert first.times[-1] == 0.7  # last seen at 0.2
    assert set(second.hands) == {"l"}


def test_what_is_left_out_is_counted_with_its_reason():
    moments = [seen(0.0), seen(0.1, l=0.2), seen(0.2)]
    moments[2].hands["r"] *= 1000.0
    found = follow(LandmarkTrack(moments))
    assert len(found.motions) == 1
    assert found.far == 0
    unsure, wrong = found.left_out.items()
    assert unsure == ("unsure", 1)
    assert "times as large" in wrong[0]
    assert wrong[1] == 1


def test_wrists_out_of_reach_are_counted():
    T = np.eye(4)
    T[0, 3] = 2.0  # two metres ahead
    moments = [seen(k / 30, sides=("r",), body=False, T=T) for k in range(3)]
    assert follow(LandmarkTrack(moments, {"T_base_frame": np.eye(4).ravel().tolist()})).far == 3


def test_a_track_in_which_nothing_is_seen_gives_no_motion():
    assert not follow(LandmarkTrack([Moment(0.0), Moment(0.1)])).motions
