"""The hand gives: it lets go when the object is pulled, and not before."""

import numpy as np
import pytest

from neo_bringup.hand_bench.hold_trial import LIFT, HoldTrial, smooth
from neo_description.objects import registry
from neo_description.signals import GraspPhase, HandAction, HandCommand


@pytest.fixture(scope="module")
def holding() -> HoldTrial:
    trial = HoldTrial(registry()["red_bottle"], 2)
    assert trial.close()
    trial.watch(1.5, lambda u, t: trial.at(0.0, LIFT * smooth(u)))
    trial.watch(0.5, lambda u, t: trial.at(0.0, LIFT))
    return trial


def test_lets_go_when_pulled_and_only_then(holding: HoldTrial):
    env, rig = holding.env, holding.env.rig
    env.command(HandCommand(HandAction.GIVE))
    env.run(1.5, lambda u, t: holding.at(0.0, LIFT))
    assert env.phase() == GraspPhase.HOLDING
    body = rig.model.body("red_bottle").id
    weight = 9.81 * float(rig.model.body_mass[body])
    # a person takes the weight and pulls a little towards themselves
    rig.data.xfrc_applied[body, :3] = np.array([1.0, 0.0, 1.2 * weight])
    let_go = env.run(1.0, lambda u, t: holding.at(0.0, LIFT), lambda: env.phase() == GraspPhase.RELEASING)
    assert let_go


def test_gives_nothing_when_it_holds_nothing():
    trial = HoldTrial(registry()["red_bottle"], 2)
    trial.env.command(HandCommand(HandAction.GIVE))
    trial.env.run(0.2, lambda u, t: trial.at(0.12))
    assert trial.env.phase() == GraspPhase.IDLE
