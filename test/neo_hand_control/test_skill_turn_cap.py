"""Turning a cap: its middle and radius felt, torque as the thread needs, strokes until it is far enough."""

import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import turn_cap
from neo_hand_control.skills.turn_cap import TurnCap
from neo_sim.hand_rig import HandRig


def test_a_stiff_cap_is_turned_by_half_a_turn():
    """Seed 6: 0.19 N m at friction 0.57, which a grip that does not follow the torque does not turn."""
    score = turn_cap.measure(6)
    assert score["outcome"] == "done"
    assert score["angle"] > turn_cap.FAR_ENOUGH
    assert score["sideways"] < turn_cap.SIDEWAYS
    assert abs(score["radius_error"]) < 0.0005
    assert abs(score["angle_felt"] - score["angle"]) < 0.8


def test_a_left_hand_turns_the_cap_the_same_way():
    score = turn_cap.measure(4, "l")
    assert score["outcome"] == "done"
    assert score["angle"] > turn_cap.FAR_ENOUGH


def test_a_cap_that_is_not_there_is_missed():
    skill = TurnCap("r")
    outcome = skill_trial.run(skill, skill_trial.ready(skill, HandRig("r", seed=1)))
    assert outcome == "failed: felt no cap"
    assert skill.turned == 0.0
    assert np.isfinite(skill.shift["r"]).all()
