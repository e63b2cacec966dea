"""Walking at the speed that was asked for."""

import numpy as np
import pytest

from neo_body_control.walking.pace import MOST, Pace
from neo_body_control.walking.stance import rotation

STEP = 0.5  # s


def walk(pace, wanted, really, steps):
    """``steps`` of a robot that goes ``really(told)`` (3,) when told to go so; its last speed."""
    place, heading, walked = np.zeros(2), 0.0, np.zeros(3)
    for i in range(steps):
        pace.stepped(i * STEP, place, heading, wanted)
        walked = really(pace.corrected(wanted))
        turn = walked[2] * STEP
        place = place + rotation(heading + 0.5 * turn) @ (walked[:2] * STEP)
        heading += turn
    return walked


@pytest.mark.parametrize("wanted", [(0.6, 0.0, 0.0), (0.0, 0.2, 0.0), (0.2, 0.0, 0.4)])
def test_what_is_always_amiss_is_taken_back(wanted):
    wanted = np.array(wanted)
    amiss = np.array([0.07, -0.06, 0.02])
    assert walk(Pace(0.3), wanted, lambda told: told + amiss, 30) == pytest.approx(wanted, abs=2e-3)


def test_it_takes_back_only_so_much():
    told = Pace(1.0)
    walk(told, np.array([0.5, 0.0, 0.0]), np.zeros_like, 50)
    assert told.corrected(np.array([0.5, 0.0, 0.0]))[0] == pytest.approx(0.5 + MOST[0])


def test_a_new_velocity_is_judged_by_its_own_steps_and_standing_is_left_alone():
    pace = Pace(0.3)
    walk(pace, np.array([0.6, 0.0, 0.0]), lambda told: 0.9 * told, 10)
    learnt = pace.corrected(np.array([0.6, 0.0, 0.0]))
    pace.stepped(10 * STEP, np.zeros(2), 0.0, np.array([0.2, 0.0, 0.0]))  # a jump between two velocities
    pace.stepped(11 * STEP, np.ones(2), 0.0, np.array([0.2, 0.0, 0.0]))
    assert pace.corrected(np.array([0.6, 0.0, 0.0])) == pytest.approx(learnt)
    assert not pace.corrected(np.zeros(3)).any()
    pace.reset()
    assert pace.corrected(np.array([0.6, 0.0, 0.0])).tolist() == [0.6, 0.0, 0.0]
