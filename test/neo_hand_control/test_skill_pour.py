"""Pouring: what left the bottle is in the cup, and the hand felt how much it was."""

import pytest

from neo_bringup.hand_bench.tasks import pour

GRAVITY = 9.81


def test_balls_go_from_the_bottle_into_the_cup(monkeypatch):
    monkeypatch.setattr(pour, "BALLS", 14)
    score = pour.measure(0)
    assert score["outcome"] == "done"
    assert score["privileged_inside"] >= pour.ENOUGH
    assert score["upright"]
    # pads 5 % off under a squeeze of 18 N do not weigh to the gram
    assert score["felt_poured_N"] == pytest.approx(14 * score["privileged_ball_kg"] * GRAVITY, abs=0.4)
