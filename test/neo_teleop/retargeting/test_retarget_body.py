"""The upper body follows a person's bones, within limits and without touching itself."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.kinematics import Kinematics
from neo_description.tables import SIDES
from neo_teleop.retargeting import synthetic
from neo_teleop.retargeting.body import BodyRetargeter
from neo_teleop.retargeting.body_model import READY, ROWS, UPPER, body_model
from neo_teleop.retargeting.landmarks import BODY
from neo_teleop.retargeting.synthetic import body_posture


def pose(rng):
    return body_posture(body_model(), rng)


def person(q, scale=1.0):
    joints, wrists = synthetic.person(body_model(), q)
    return scale * joints, wrists


def somewhere(rng):
    Q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    T = np.eye(4)
    T[:3, :3] = Q * np.sign(np.linalg.det(Q))
    T[:3, 3] = rng.standard_normal(3)
    return T


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_wrists_come_where_the_person_s_bones_put_them_wherever_they_stand(scale):
    rng = np.random.default_rng(0)
    for _ in range(4):
        q, T = pose(rng), somewhere(rng)
        joints, wrists = person(q, scale)
        found = BodyRetargeter().retarget(
            joints @ T[:3, :3].T + T[:3, 3], {side: T @ wrist for side, wrist in wrists.items()}
        )
        np.testing.assert_allclose(found.T_frame_base, T, atol=1e-9)
        assert found.error < 5e-3
        for side in SIDES:
            np.testing.assert_allclose(found.T_base_wrist[side], wrists[side], atol=0.02)


def test_joints_keep_their_limits_and_arms_stay_out_of_the_trunk():
    body, retargeter = body_model(), BodyRetargeter()
    joints, _ = person(READY[ROWS])
    inside = joints.copy()
    for side in SIDES:
        inside[BODY.index(f"{side}_wrist")] = [0.05, 0.0, 0.35]  # in the belly
        inside[BODY.index(f"{side}_elbow"), 0] -= 0.1
    for share in np.linspace(0.0, 1.0, 20):
        found = retargeter.retarget((1.0 - share) * joints + share * inside)
        assert (found.joints >= body.q_min).all()
        assert (found.joints <= body.q_max).all()
        assert body.clearance(found.joints) >= -1e-9


def test_the_pose_is_the_robot_s_own_kinematics():
    found = BodyRetargeter().retarget(person(READY[ROWS])[0])
    q = READY.copy()
    q[ROWS] = found.joints
    for side, T in Kinematics().frames(q, [f"{side}_wrist" for side in SIDES]).items():
        np.testing.assert_allclose(found.T_base_wrist[side[0]], T, atol=1e-9)


def test_wrists_alone_are_reached_with_the_trunk_as_it_is():
    body, retargeter = body_model(), BodyRetargeter()
    T = body.wrist(body.posed(READY[ROWS]), "l")
    T[:3, 3] += [0.08, 0.03, 0.05]
    found = retargeter.reach({"l": T})
    np.testing.assert_allclose(found.T_base_wrist["l"], T, atol=0.01)
    trunk = [
        UPPER.index(name) for name in ("torso_yaw", "torso_roll", "torso_pitch", "neck_yaw", "neck_pitch")
    ]
    np.testing.assert_allclose(found.joints[trunk], READY[ROWS][trunk], atol=0.03)
    right = [i for i, name in enumerate(UPPER) if name.startswith("r_")]
    np.testing.assert_allclose(found.joints[right], READY[ROWS][right], atol=0.03)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda p: p * 1e-3, "are they in metres"),
        (
            lambda p: np.where(np.arange(12)[:, None] == BODY.index("spine"), p[BODY.index("l_hip")], p),
            "stand on",
        ),
        (lambda p: p[:11], r"shape \(11, 3\)"),
    ],
)
def test_what_is_no_body_is_refused_and_changes_nothing(broken, says):
    joints, _ = person(READY[ROWS])
    disturbed, calm = BodyRetargeter(), BodyRetargeter()
    for _ in range(2):
        with pytest.raises(NeoError, match=says):
            disturbed.retarget(broken(joints))
        np.testing.assert_array_equal(disturbed.retarget(joints).joints, calm.retarget(joints).joints)
