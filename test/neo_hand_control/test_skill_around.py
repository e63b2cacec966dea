"""Where a cylinder between the fingertips is, from the joints alone."""

import numpy as np
import pytest

from neo_hand_control.skills import turn_cap
from neo_hand_control.skills.around import Around
from neo_hand_control.skills.fingertips import Fingertips
from neo_hand_control.skills.turn_cap import TurnCap


@pytest.fixture
def closed():
    """Fingertips that stand 17 mm from the middle of the right hand's cap grasp, and that middle."""
    skill = TurnCap("r")
    tips = Fingertips("r", turn_cap.FINGERS)
    row = round((turn_cap.OPEN - 0.017) / turn_cap.STEP)
    tips.move(skill._paths[row])
    return tips, skill._tool


def test_a_cylinder_is_found_where_the_fingertips_touch_it(closed):
    tips, middle = closed
    around = Around(tips, middle + 0.003 * tips.D[:, 0], 0.016)
    around.locate(middle + 0.003 * tips.D[:, 0], np.ones(4, bool))
    assert np.abs(tips.D[:, :2].T @ (around.centre - middle)).max() < 0.002
    gaps = np.linalg.norm(around.away(), axis=1) - tips.flesh - around.radius
    assert np.abs(gaps).max() < 0.001


def test_fingertips_that_met_nothing_keep_the_cylinder_away(closed):
    """Thumb and index alone left a cap on the side of the others, and the hand never came nearer to it."""
    tips, middle = closed
    skill = TurnCap("r")
    in_by = np.array([0.020, 0.017, 0.013, 0.013])  # m from the middle: the cap stands aside
    tips.move(tips.posture(skill._paths, (turn_cap.OPEN - in_by) / turn_cap.STEP))
    around = Around(tips, middle, 0.016)
    around.locate(middle, np.array([True, True, False, False]))
    gaps = np.linalg.norm(around.away(), axis=1) - tips.flesh - 0.016
    assert around.radius == 0.016
    assert np.abs(gaps[:2]).max() < 0.0015
    assert (gaps[2:] > -0.0015).all()


def test_fingertips_that_go_round_have_twisted(closed):
    tips, middle = closed
    around = Around(tips, middle, 0.017)
    around.mark()
    assert abs(around.twist(tips.D[:, 2])) < 1e-9
    q = TurnCap("r")._paths[round((turn_cap.OPEN - 0.017) / turn_cap.STEP)].copy()
    q[0] -= 0.1  # the thumb swings about the fingers' direction
    tips.move(q)
    assert abs(around.twist(tips.D[:, 2])) > 0.05
