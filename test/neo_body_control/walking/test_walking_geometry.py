"""Soles' hulls and the way of a swinging foot."""

import numpy as np
import pytest

from neo_body_control.walking import polygon
from neo_body_control.walking.place import Approach, velocity_to
from neo_body_control.walking.swing import Swing

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def test_a_hull_leaves_out_what_is_inside():
    hull = polygon.hull(np.vstack([SQUARE, [[0.5, 0.5], [0.2, 0.9]]]))
    assert sorted(map(tuple, hull)) == sorted(map(tuple, SQUARE))


@pytest.mark.parametrize(
    ("p", "near", "out"),
    [((0.5, 0.4), (0.5, 0.4), -0.4), ((1.5, 0.5), (1.0, 0.5), 0.5), ((-3.0, -4.0), (0.0, 0.0), 5.0)],
)
def test_the_nearest_point_of_a_polygon(p, near, out):
    assert np.allclose(polygon.nearest(SQUARE, np.array(p)), near)
    assert polygon.outside(SQUARE, np.array(p)) == pytest.approx(out)


def fly(moves_at=None, to=(0.3, 0.1), heading=0.2):
    swing = Swing(np.array([0.0, 0.1, 0.001]), 0.0, 0.05, 0.1)
    rows, goal = [], np.array([0.2, 0.1])
    for i in range(220):
        if moves_at is not None and i == moves_at:
            goal = np.array(to)
        rows.append(swing.step(goal, heading, 0.4 - 0.002 * i, 0.002))
    return rows


def test_a_foot_swings_to_a_goal_that_moves_and_then_goes_down():
    rows = fly(moves_at=100)
    p, v = np.array([r.p for r in rows]), np.array([r.v for r in rows])
    assert np.allclose(p[205, :2], [0.3, 0.1], atol=3e-3)
    assert rows[205].turn[0] == pytest.approx(0.2, abs=3e-3)
    assert 0.045 < p[:, 2].max() < 0.056
    assert np.abs(np.diff(p[:195], axis=0) / 0.002 - v[:194]).max() < 0.03  # its speed is what it says
    assert np.abs(np.diff(v[:195], axis=0)).max() < 0.2  # no jump, not even where the goal jumps
    assert v[-1, 2] == pytest.approx(-0.1)  # until it is felt


def test_a_goal_no_longer_moves_when_the_foot_is_about_to_land():
    assert np.allclose(fly(moves_at=190)[205].p[:2], [0.2, 0.1], atol=3e-3)


def test_a_foot_that_is_late_goes_on_down_however_long_the_step_is_drawn_out():
    swing = Swing(np.zeros(3), 0.0, height=0.05, down=0.1)
    for i in range(400):
        last = swing.step(np.array([0.3, 0.1]), 0.0, max(0.4 - 0.002 * i, 0.002 + 1e-9), 0.002)
    assert last.v[2] == pytest.approx(-0.1)
    assert last.p[2] == pytest.approx(-0.1 * 0.4, abs=2e-3)


def test_headings_turn_the_short_way():
    swing = Swing(np.zeros(3), 3.1, 0.05, 0.1)
    turned = [swing.step(np.zeros(2), -3.1, 0.4 - 0.002 * i, 0.002).turn[0] for i in range(200)]
    assert turned[-1] == pytest.approx(2.0 * np.pi - 3.1, abs=1e-2)
    assert min(turned) > 3.09


def test_the_way_to_a_place_is_straight_and_ends():
    approach = Approach()
    assert velocity_to((1.0, 2.0, 0.5), (1.01, 2.0, 0.51), approach) is None
    v = velocity_to((0.0, 0.0, np.pi / 2), (0.0, 3.0, np.pi / 2), approach)
    assert np.allclose(v, [approach.forward, 0.0, 0.0], atol=1e-9)
    v = velocity_to((0.0, 0.0, 0.0), (3.0, 3.0, 0.0), approach)
    assert v[0] == pytest.approx(v[1])
    assert v[1] == pytest.approx(approach.sideways)
    assert velocity_to((0.0, 0.0, 3.0), (0.0, 0.0, -3.0), approach)[2] > 0.0
