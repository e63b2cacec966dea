"""Pressing a button: the finger stops by what its pad feels, on the real rig."""

import numpy as np
import pytest

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks import press
from neo_hand_control.skills.press import AWAY, REACH, Press
from neo_sim.hand_rig import HandRig


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_button_is_pressed_until_it_clicks_and_let_go(side):
    score = press.measure(3, side)
    assert score["outcome"] == "done"
    assert score["depth"] > press.DEEP_ENOUGH
    assert score["end"] < press.RELEASED
    assert 2.0 < score["force"] < press.MOST


def test_a_press_that_meets_nothing_says_so():
    skill = Press("r")
    outcome = skill_trial.run(skill, skill_trial.ready(skill, HandRig("r", seed=1)))
    assert outcome == "failed: met no button"


def test_a_dead_fingertip_presses_nothing():
    rig, skill = HandRig("r", seed=1), Press("r")
    rig.pads().kill(["index_distal"])
    assert "dead" in skill_trial.run(skill, skill_trial.ready(skill, rig))


def test_the_hand_begins_and_ends_away_from_the_button():
    skill = Press("r")
    env = skill_trial.ready(skill, HandRig("r", seed=1))
    furthest = -np.inf

    def look() -> None:
        nonlocal furthest
        furthest = max(furthest, float(skill_trial.sensed(env, "r").shift[0]))

    skill_trial.run(skill, env, each=look)
    begun, ended = skill.start["r"][0][0], float(skill_trial.sensed(env, "r").shift[0])
    assert abs(ended - begun) < 0.003
    assert AWAY + 0.02 < furthest - begun < AWAY + REACH + 0.003
