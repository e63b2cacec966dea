"""A scripted person at the real page: what they do arrives as they did it."""

import numpy as np

from neo_bringup.bench import teleop as bench
from neo_bringup.collect.operator import DT, Operator
from neo_bringup.teleop_bench.browser import BrowserPerson
from neo_description.signals import (
    BodyEstimate,
    GraspStatus,
    HandAction,
    HandCommand,
    Safety,
    WholeBodyCommand,
)
from neo_task.planner import Observation, Step
from neo_teleop.teleop import Teleop


def operated(through=None):
    """Commands that a scripted person gives for a reach and a grasp, at a robot that follows at once."""
    teleop = Teleop()
    source = Operator(teleop, np.random.default_rng(3))
    source = source if through is None else through(source, teleop)
    grippers = {side: np.eye(4) for side in "lr"}
    grippers["l"][:3, 3], grippers["r"][:3, 3] = (0.3, 0.2, 0.9), (0.3, -0.2, 0.9)
    goal = grippers["r"].copy()
    goal[:3, 3] += (0.1, 0.02, 0.05)
    wants = {
        20: Step(body=[WholeBodyCommand(60.0, T_r_hand=goal, gaze=goal[:3, 3])]),
        45: Step(hands=[("r", HandCommand(HandAction.CLOSE, grasp="precision_pinch", width=0.04))]),
    }
    body, hands = [], []
    for i in range(80):
        estimate = BodyEstimate(
            0, 2.0 + DT * i, np.eye(4), np.zeros(6), grippers["l"], grippers["r"], np.eye(4), Safety.ACTIVE
        )
        felt = {side: GraspStatus() for side in "lr"}
        for frame in source.frames(Observation(estimate.time, estimate, felt), wants.get(i, Step())):
            orders = teleop.step(frame, estimate, felt)
            body += orders.body
            hands += orders.hands
            for order in orders.body:
                for side in "lr":
                    T = getattr(order, f"T_{side}_hand")
                    grippers[side] = grippers[side] if T is None else T
    return body, hands


def test_commands_through_the_page_are_those_of_the_person_themselves(chromium):
    with BrowserPerson() as person:
        body, hands = operated(person.through)
    wanted_body, wanted_hands = operated()
    assert len(body) == len(wanted_body) > 60
    for mine, theirs in zip(body, wanted_body, strict=True):
        for name in ("T_l_hand", "T_r_hand", "gaze"):
            one, other = getattr(mine, name), getattr(theirs, name)
            assert (one is None) == (other is None)
            if one is not None:
                np.testing.assert_allclose(one, other, atol=1e-6)
    assert hands == wanted_hands
    assert [command.action for _, command in hands][-1] == HandAction.CLOSE


def test_figures_name_what_failed():
    good = {"prompt": "a", "success": True, "operated": 0.8, "plant_s": 20.0, "wall_s": 60.0}
    rate, *_ = bench.figures({"0": good, "1": good | {"success": False, "prompt": "b"}})
    assert (rate.id, rate.value, rate.n, rate.note) == ("teleop.success_rate", 0.5, 2, "seed 1: b")
