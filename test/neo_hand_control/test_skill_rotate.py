"""Turning a ball over in the hand: how far is known from the joints, and an empty hand says so."""

import numpy as np
import pytest

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import rotate
from neo_hand_control.skills.rotate import Rotate
from neo_sim.hand_rig import HandRig


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_ball_rolls_to_the_fingertips_and_stays(side):
    score = rotate.measure(2, side)
    assert score["outcome"] == "done"
    assert score["angle"] > np.pi / 2
    assert score["away"] < 0.12
    assert abs(score["angle_most"] - score["angle_felt"]) < 0.5


def test_an_empty_hand_waits_and_gives_up():
    skill = Rotate("r")
    outcome = skill_trial.run(skill, skill_trial.ready(skill, HandRig("r", seed=1)))
    assert outcome == "failed: felt nothing on the fingers"
    assert np.abs(skill.turn["r"] - skill.start["r"][1]).max() == 0.0
