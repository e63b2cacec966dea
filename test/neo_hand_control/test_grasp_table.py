"""The taxonomy as data: enough grasps, thumbs that oppose, pre-shapes wide enough, bad rows refused."""

import numpy as np
import pytest

from neo_bringup.hand_bench.grasps import demonstrations
from neo_description.errors import NeoError
from neo_hand_control import grasps as table
from neo_hand_control.choose import RULES, choose
from neo_hand_control.grasps import grasps
from neo_hand_control.hand_kinematics import HandKinematics
from neo_hand_control.opposition import THUMB, opposes, thumb_angle

WITHOUT_THUMB = {"hook", "small_wrap", "index_extension", "adducted_thumb", "lateral"}
USUAL, ANYWHERE = np.deg2rad(45.0), np.deg2rad(68.0)  # friction 1 holds 45 degrees on either side: 90 in all


@pytest.fixture(scope="module")
def hand():
    return HandKinematics("r")


def test_there_are_sixteen_grasps_and_each_is_shown():
    assert len(grasps()) >= 16
    assert set(grasps()) == set(demonstrations())
    assert {name for name, grasp in grasps().items() if not opposes(grasp)} == WITHOUT_THUMB


@pytest.mark.parametrize("name", sorted(set(grasps()) - WITHOUT_THUMB))
def test_the_thumb_faces_what_it_presses_against(name, hand):
    grasp = grasps()[name]
    assert thumb_angle(grasp, grasp.usual_width, hand) < USUAL
    for width in np.linspace(*grasp.width_range, 4):
        assert thumb_angle(grasp, width, hand) < ANYWHERE, f"{name} at {width:.3f} m"


@pytest.mark.parametrize("side", ["l", "r"])
def test_both_hands_are_mirror_images(side):
    grasp = grasps()["tripod"]
    assert thumb_angle(grasp, 0.03, HandKinematics(side)) == pytest.approx(
        thumb_angle(grasp, 0.03, HandKinematics("r")), abs=1e-6
    )


@pytest.mark.parametrize("name", [n for n, g in grasps().items() if g.clearance and opposes(g)])
def test_a_preshape_is_wider_than_the_thing(name, hand):
    grasp = grasps()[name]
    thumb, fingers = (np.flatnonzero(mask & (grasp.push > 0.0)) for mask in (THUMB, ~THUMB))
    for width in np.linspace(*grasp.width_range, 3):
        hand.move(grasp.preshape(width))
        gap = min(hand.nearest(int(a), int(b))[0] for a in thumb for b in fingers)
        assert gap > width + 0.008, f"{name}: {1e3 * gap:.0f} mm for a thing {1e3 * width:.0f} mm wide"


def test_a_posture_between_knots_lies_between_them():
    grasp = grasps()["precision_pinch"]
    low, high = grasp.posture(0.03), grasp.posture(0.06)
    np.testing.assert_allclose(grasp.posture(0.045), 0.5 * (low + high), atol=1e-9)


ROW = {
    "description": "a test",
    "width": {"range": [0.01, 0.05], "usual": 0.02},
    "preshape": {"thumb_cmc_opp": 1.0, "fingers_mcp_flex": {0.01: 1.2, 0.05: 0.8}},
    "closing": {"fingers_mcp_flex": 1.0},
    "push": {"thumb_distal": 1.0, "index_distal": 1.0},
    "opposition": [["thumb"], ["index"]],
    "force": {"start": 2.0, "least": 1.0, "most": 20.0},
}


@pytest.mark.parametrize(
    ("part", "value", "says"),
    [
        ("preshape", {"sixth_finger_flex": 1.0}, "one of"),
        ("preshape", {"thumb_cmc_opp": {0.05: 1.0, 0.01: 0.5}}, "must rise"),
        ("push", {"thumb_nail": 1.0}, "thumb_distal"),
        ("opposition", [["toe"]], "malformed"),
        ("width", {"range": [0.01, 0.05], "usual": 0.2}, "usual width"),
        ("force", {"start": 2.0, "least": 3.0, "most": 20.0}, "least <= start"),
    ],
)
def test_a_bad_row_is_refused_with_what_is_allowed(part, value, says):
    table._grasp("mine", ROW)
    with pytest.raises(NeoError, match=says):
        table._grasp("mine", {**ROW, part: value})


@pytest.mark.parametrize(
    ("shape", "size", "purpose", "grasp", "width"),
    [
        ("cylinder", (0.066, 0.066, 0.215), "power", "medium_wrap", 0.066),
        ("cylinder", (0.095, 0.095, 0.16), "power", "large_wrap", 0.095),
        ("cylinder", (0.026, 0.026, 0.18), "power", "small_wrap", 0.026),
        ("cylinder", (0.08, 0.08, 0.02), "precision", "precision_disk", 0.08),
        ("cylinder", (0.012, 0.012, 0.14), "precision", "prismatic_3_finger", 0.012),
        ("box", (0.055, 0.075, 0.12), "power", "box_wrap", 0.055),
        ("box", (0.02, 0.08, 0.16), "precision", "parallel_extension", 0.02),
        ("box", (0.02, 0.02, 0.02), "precision", "precision_pinch", 0.02),
        ("sphere", (0.068, 0.068, 0.068), "power", "power_sphere", 0.068),
        ("ellipsoid", (0.06, 0.06, 0.054), "precision", "precision_sphere", 0.06),
        ("plate", (0.05, 0.008, 0.06), "lateral", "lateral", 0.008),
        ("bar", (0.012, 0.012, 0.13), "carry", "hook", 0.012),
    ],
)
def test_shape_size_and_purpose_choose(shape, size, purpose, grasp, width):
    assert choose(shape, size, purpose) == (grasp, pytest.approx(width))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pyramid", (0.1, 0.1, 0.1)), "one of box"),
        (("box", (0.1, 0.1, 0.1), "throwing"), "one of power"),
        (("box", (0.1, -0.1, 0.1)), "three lengths"),
        (("sphere", (0.3, 0.3, 0.3)), "no power grasp for a sphere 300 mm wide"),
    ],
)
def test_a_thing_that_fits_no_grasp_is_refused(arguments, says):
    with pytest.raises(NeoError, match=says):
        choose(*arguments)


def test_every_rule_names_a_grasp_that_reaches_some_of_its_widths():
    for rule in RULES:
        low, high = grasps()[rule.grasp].width_range
        assert max(low, rule.least) < min(high, rule.most), rule
