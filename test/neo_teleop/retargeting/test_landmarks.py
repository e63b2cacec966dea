"""Landmarks: layouts become ours, the palm is found, and what is none is refused with what was given."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.hand import gripper
from neo_teleop.retargeting import landmarks
from neo_teleop.retargeting.hand_model import hand_model
from neo_teleop.retargeting.landmarks import BODY, HAND_21, HAND_25, body_joints, hand_21, palm_frame


def test_webxr_s_25_joints_become_21_without_the_metacarpals_of_fingers():
    points = np.arange(75.0).reshape(25, 3)
    kept = [HAND_25[int(row[0]) // 3] for row in hand_21(points)]
    assert kept[:6] == [
        "wrist", "thumb-metacarpal", "thumb-phalanx-proximal", "thumb-phalanx-distal", "thumb-tip",
        "index-finger-phalanx-proximal",
    ]  # fmt: skip
    assert kept[-1] == "pinky-finger-tip"
    assert len(kept) == len(HAND_21) == 21


def test_smpl_s_joints_become_ours():
    points = np.arange(72.0).reshape(24, 3)
    found = dict(zip(BODY, body_joints(points)[:, 0] / 3, strict=True))
    assert (found["pelvis"], found["neck"], found["l_wrist"], found["r_wrist"]) == (0, 12, 20, 21)
    np.testing.assert_array_equal(body_joints(points[:22]), body_joints(points))


def test_a_body_without_hips_has_them_along_its_shoulders():
    points = np.random.default_rng(0).standard_normal((10, 3))
    found = dict(zip(BODY, body_joints(points), strict=True))
    hips = found["l_hip"] - found["r_hip"]
    shoulders = found["l_shoulder"] - found["r_shoulder"]
    assert hips @ shoulders == pytest.approx(np.linalg.norm(hips) * np.linalg.norm(shoulders))
    np.testing.assert_allclose((found["l_hip"] + found["r_hip"]) / 2, found["pelvis"])


@pytest.mark.parametrize("side", ["l", "r"])
def test_the_palm_of_our_own_hand_has_the_gripper_s_axes(side):
    T = palm_frame(hand_model(side).at(np.zeros(22)), side)
    np.testing.assert_allclose(T[:3, :3], gripper(side)[1], atol=0.12)  # knuckles are not quite level
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)


def test_a_palm_that_is_a_line_is_refused():
    with pytest.raises(NeoError, match=r"span 0\.00 cm²; 10 cm² or more needed"):
        palm_frame(np.linspace(0, 1, 63).reshape(21, 3), "l")


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (np.zeros((20, 3)), r"21 landmarks: shape \(20, 3\) given; \(21, 3\) metres needed"),
        (np.zeros((25, 2)), r"25 joints: shape \(25, 2\)"),
        (np.zeros(63), r"shape \(63,\)"),
        (5.0, r"shape \(1,\)"),
        ([[1, 2, 3], [4]], "no array of numbers"),
        ("hand", "no array of numbers"),
        (np.where(np.arange(63).reshape(21, 3) == 13, np.nan, 0.0), r"points \[4\] are not finite"),
    ],
)
def test_what_is_no_hand_is_refused(points, says):
    with pytest.raises(NeoError, match=says):
        landmarks.hand_21(points)
    with pytest.raises(NeoError):
        landmarks.body_joints(points)
