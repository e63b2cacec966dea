"""Rolling a pen: the skill's own angle is the pen's, and an absent pen is said to be absent."""

import numpy as np
import pytest

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import roll
from neo_hand_control.skills.roll import Roll
from neo_sim.hand_rig import HandRig


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_pen_is_taken_lifted_and_rolled_by_a_quarter_turn(side):
    score = roll.measure(0, side)
    assert score["outcome"] == "done"
    assert abs(score["angle"]) > np.pi / 2
    assert score["slid"] < 0.01
    assert abs(abs(score["angle"]) - abs(score["angle_felt"])) < 0.5
    assert abs(score["radius_felt"] - score["radius"]) < 0.0015


def test_a_pen_that_is_not_there_is_missed():
    skill = Roll("r")
    outcome = skill_trial.run(skill, skill_trial.ready(skill, HandRig("r", seed=1)))
    assert outcome.startswith("failed: felt no pen")
