"""A path that is watched: how it ends, with which code, and what its joints do then."""

from types import SimpleNamespace

import numpy as np
import pytest
from body_rig import Rig, side_grasp
from neo_msgs.action import FollowJointTrajectory

from neo_body_control.joint_follow import JointFollow, Tolerance
from neo_body_control.joint_requests import Code, PathRefusedError, Trajectory, path_of, set_impedance
from neo_description.errors import RefusedError
from neo_description.signals import Safety
from neo_description.tables import BODY

ARM = ["r_shoulder_pitch", "r_elbow_pitch"]
THERE, BACK = [[-0.5, -1.0]], [[0.1, -1.4]]


@pytest.fixture(scope="module")
def shared():
    return Rig()


@pytest.fixture
def rig(shared):
    """A robot that stands, with its right arm at BACK."""
    if shared.state != Safety.ACTIVE:
        shared.stand()
    assert end(shared, follow(shared, ARM, [0.5], BACK)).success
    return shared


def follow(rig, names, times, positions, params=None, start=0.0, **tolerances):
    trajectory = Trajectory(names, np.array(times, float), np.array(positions, float), None, start)
    return JointFollow(rig.body, params or rig.body.params, trajectory, **tolerances)


def end(rig, following, seconds=4.0):
    """Ticks until it ends; its outcome."""
    outcome = None

    def over():
        nonlocal outcome
        outcome = following.step()
        return outcome is not None

    assert rig.run(seconds, over), "it did not end"
    return outcome


def at(rig, *names):
    return rig.body.joint_position[[BODY.index(name) for name in names]]


def check_it_rests_where_it_was(rig, *names):
    """Joints that moved here come to rest within what braking needs, and stay."""
    where, speed = at(rig, *names), rig.body.joint_velocity[[BODY.index(name) for name in names]]
    rig.run(0.8)
    rests = at(rig, *names)
    assert (np.abs(rests - where) <= speed**2 / 10.0 + 0.04).all()
    assert np.abs(rig.body.joints.v).max() == 0.0
    rig.run(0.3)
    assert np.abs(at(rig, *names) - rests).max() < 0.02
    assert rig.state == Safety.ACTIVE


def test_the_codes_are_those_of_the_message():
    assert {code.name: code.value for code in Code} == {
        name: getattr(FollowJointTrajectory.Result, name) for name in Code.__members__
    }


def test_it_succeeds_when_its_joints_are_there(rig):
    following = follow(rig, ARM, [0.3, 0.6], [[-0.2, -1.2], *THERE])
    outcome = end(rig, following)
    assert (outcome.code, outcome.reason) == (Code.SUCCESSFUL, "done")
    assert 0.6 <= following.elapsed < 1.5
    assert np.abs(at(rig, *ARM) - THERE).max() < 0.05
    assert following.desired.shape == (3, 2)
    assert following.actual.shape == (2, 2)


def test_a_joint_that_leaves_its_path_ends_it_and_rests_where_it_is(rig):
    tight = SimpleNamespace(**{**vars(rig.body.params), "follow_path_tolerance": 1e-3})
    assert end(rig, follow(rig, ARM, [0.5], THERE, tight)).code == Code.PATH_TOLERANCE_VIOLATED
    rig.run(0.5)
    goal = [Tolerance("r_elbow_pitch", position=0.002), Tolerance("r_shoulder_pitch", position=-1.0)]
    outcome = end(rig, follow(rig, ARM, [0.5], BACK, path_tolerance=goal))
    assert outcome.code == Code.PATH_TOLERANCE_VIOLATED
    assert "on the way r_elbow_pitch is 0.00" in outcome.reason
    assert "off; 0.002 rad allowed" in outcome.reason
    check_it_rests_where_it_was(rig, *ARM)
    free = [Tolerance(name, position=-1.0) for name in ARM]
    assert end(rig, follow(rig, ARM, [0.5], THERE, tight, path_tolerance=free)).success


def test_a_joint_that_does_not_come_to_the_goal_in_time_ends_it(rig):
    never = [Tolerance("r_elbow_pitch", velocity=1e-9)]
    following = follow(rig, ARM, [0.3], THERE, goal_tolerance=never, goal_time=0.2)
    outcome = end(rig, following)
    assert outcome.code == Code.GOAL_TOLERANCE_VIOLATED
    assert "0.20 s after the end r_elbow_pitch is" in outcome.reason
    assert following.elapsed == pytest.approx(0.5, abs=0.01)
    check_it_rests_where_it_was(rig, *ARM)
    patient = follow(rig, ARM, [0.3], BACK, goal_tolerance=never, goal_time=-1.0)
    assert not rig.run(3.0, patient.step)
    assert patient.cancel().reason == "cancelled"


def test_a_cancelled_path_comes_to_rest_and_holds(rig):
    following = follow(rig, ARM, [0.6], THERE)
    assert not rig.run(0.3, following.step)
    assert np.abs(rig.body.joint_velocity[BODY.index(ARM[0])]) > 0.5, "it moves"
    assert following.cancel().reason == "cancelled"
    check_it_rests_where_it_was(rig, *ARM)
    assert np.abs(at(rig, *ARM) - THERE).max() > 0.1, "it did not go on to its end"


def test_another_path_takes_its_place_and_what_it_leaves_comes_to_rest(rig):
    first = follow(rig, ARM, [0.6], THERE)
    assert not rig.run(0.3, first.step)
    with pytest.raises(PathRefusedError):
        follow(rig, ["r_elbow_pitch"], [0.5], [[9.0]])
    assert not rig.run(0.002, first.step), "a refused one changes nothing"
    second = follow(rig, ["r_elbow_pitch"], [0.5], [[-1.3]])
    outcome = first.step()
    assert (outcome.code, outcome.reason) == (Code.INVALID_GOAL, "preempted by another path")
    assert second.desired[1] == pytest.approx(rig.body.joint_velocity[BODY.index("r_elbow_pitch")], abs=0.3)
    check_it_rests_where_it_was(rig, "r_shoulder_pitch")
    assert end(rig, second).success


def test_a_hands_target_takes_its_arm_back_and_the_rest_holds(rig):
    following = follow(rig, ["neck_yaw", *ARM], [1.0], [[0.3, *THERE[0]]])
    assert not rig.run(0.2, following.step)
    rig.order(T_r_hand=side_grasp("r", [0.40, -0.2, 0.95]), valid_for=0.5)
    outcome = end(rig, following)
    assert outcome.code == Code.INVALID_GOAL
    assert outcome.reason == "a command for the hand took r_shoulder_pitch, r_elbow_pitch back"
    assert not rig.body.joints.active[BODY.index("r_elbow_pitch")]
    check_it_rests_where_it_was(rig, "neck_yaw")
    rig.order(release=("r",))
    rig.run(0.1)


@pytest.mark.parametrize(
    ("code", "words", "asked"),
    [
        (Code.INVALID_JOINTS, "no joint l_knee_pitch; one of", {"names": ["l_knee_pitch"]}),
        (Code.INVALID_JOINTS, "named twice", {"names": ["r_elbow_pitch"] * 2, "positions": [[-1.0, -1.0]]}),
        (Code.INVALID_JOINTS, "'neck_yaw', which is not", {"path_tolerance": [Tolerance("neck_yaw")]}),
        (Code.INVALID_GOAL, "rad allowed", {"positions": [[1.0]]}),
        (Code.INVALID_GOAL, "times must grow", {"times": [1.0, 1.0], "positions": [[-1.0], [-1.0]]}),
        (Code.INVALID_GOAL, "not finite", {"goal_tolerance": [Tolerance("r_elbow_pitch", np.nan)]}),
        (Code.INVALID_GOAL, "not measured", {"goal_tolerance": [Tolerance("r_elbow_pitch", 0, 0, 1.0)]}),
        (Code.INVALID_GOAL, "start lies 5.000 s ahead; at most 1 s allowed", {"ago": -5.0}),
        (Code.OLD_HEADER_TIMESTAMP, "the path ended 0.500 s ago", {"ago": 1.5}),
    ],
)  # fmt: skip
def test_a_goal_that_makes_no_sense_is_refused_with_its_code(rig, code, words, asked):
    held = rig.body.joints.path
    given = {"names": ["r_elbow_pitch"], "times": [1.0], "positions": [[-1.0]], **asked}
    start = rig.body.estimate.time - given.pop("ago") if "ago" in given else 0.0
    with pytest.raises(PathRefusedError, match=words) as refused:
        follow(rig, start=start, **given)
    assert refused.value.code == code
    assert rig.body.joints.path is held


def test_a_path_that_has_begun_already_is_joined(rig):
    begun = rig.body.estimate.time - 0.5
    points = Trajectory(ARM, np.array([0.3, 0.9]), np.array([[3.0, -1.0], *THERE]), None, begun)
    path = path_of(rig.body, rig.body.params, points)
    assert path.duration == pytest.approx(0.4)
    assert path.at(0.0)[0] == pytest.approx(at(rig, *ARM))
    assert path.at(0.4)[0] == pytest.approx(THERE[0])


def test_a_soft_joint_gives_way_to_what_pushes_and_comes_back_when_it_is_stiff(rig):
    def pushed():
        """rad that 4 N upwards at the wrist bend the elbow by in 0.3 s."""
        before = at(rig, "r_elbow_pitch")[0]
        rig.plant.push("r_wrist", np.array([0.0, 0.0, 4.0]), 0.3)
        rig.run(0.3)
        return abs(at(rig, "r_elbow_pitch")[0] - before)

    stiff = pushed()
    rig.run(0.5)
    set_impedance(rig.body, rig.body.params, ["r_elbow_pitch"], [1.0], [0.4])
    assert pushed() > 2.0 * stiff
    set_impedance(rig.body, rig.body.params, ["r_elbow_pitch"], [np.nan], [np.nan])
    rig.run(0.6)
    assert abs(at(rig, "r_elbow_pitch")[0] - BACK[0][1]) < 0.05


def test_stop_ends_a_path_and_takes_impedance_back(rig):
    body, i = rig.body, BODY.index("r_elbow_pitch")

    def stiffness():
        return body.joints.gains(30.0, 11.0, np.full(len(BODY.joints), 0.1))[0][i]

    following = follow(rig, ARM, [1.0], THERE)
    set_impedance(body, body.params, ["r_elbow_pitch"], [5.0], [np.nan])
    with pytest.raises(RefusedError, match="must not be negative"):
        set_impedance(body, body.params, ["r_elbow_pitch"], [-1.0], [np.nan])
    with pytest.raises(RefusedError, match=r"start lies 3\.000 s back; at most 1 s allowed"):
        set_impedance(body, body.params, ["r_elbow_pitch"], [9.0], [1.0], body.estimate.time - 3.0)
    assert stiffness() == 50.0
    rig.tick()
    body.set_mode("stop")
    outcome = following.step()
    assert (outcome.code, outcome.reason) == (Code.INVALID_GOAL, "stopped: set_mode stop")
    with pytest.raises(RefusedError, match=r"robot is STOP \(set_mode stop\): set_mode stand"):
        set_impedance(body, body.params, ["r_elbow_pitch"], [5.0], [1.0])
    with pytest.raises(PathRefusedError, match="robot is STOP"):
        follow(rig, ARM, [1.0], THERE)
    assert body.set_mode("stand") is None, "between two ticks"
    assert not body.joints.set
    assert stiffness() == 30.0
