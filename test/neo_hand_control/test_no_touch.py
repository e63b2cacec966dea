"""A hand whose pads all die while it holds: it grips by position and keeps the force it had."""

from types import SimpleNamespace

import numpy as np
import pytest

from neo_description import parameters
from neo_description.signals import GraspPhase
from neo_description.tables import CONTROL_DT, HAND, TAXELS
from neo_hand_control.controller import PARAMETERS
from neo_hand_control.fingers import Fingers
from neo_hand_control.grasps import grasps
from neo_hand_control.hold import Hold
from neo_hand_control.touch import Touch

FORCE = 14.0  # N: more than a grasp starts with


@pytest.fixture
def held():
    """A hold with its force, as after a lift; what ``valid`` pads that feel nothing make of it in 1 s."""
    params = parameters.load(PARAMETERS, side="r")
    hold, touch = Hold(params, Fingers(params)), Touch(params)
    hold.begin(grasps()["medium_wrap"], None)
    hold._squeezing = True
    hold.grip.target = hold.force = FORCE
    n = len(TAXELS)
    R, p, nothing = np.broadcast_to(np.eye(3), (n, 3, 3)), np.zeros((n, 3)), np.zeros((n, 3))

    def a_second(valid):
        q = np.zeros(len(HAND.joints))
        state = SimpleNamespace(joint_position=q, joint_velocity=q, taxel_valid=valid)
        phase = GraspPhase.HOLDING
        for _ in range(500):
            reading = np.where(valid[:, None], nothing, np.nan)
            feeling = touch.update(reading, valid, R, p, CONTROL_DT, False, np.zeros(n, bool))
            phase = hold.step(phase, state, feeling, CONTROL_DT)
            if phase != GraspPhase.HOLDING:
                break
        return phase, hold.force

    return a_second


def test_with_every_pad_dead_force_and_hold_stay(held):
    assert held(np.zeros(len(TAXELS), bool)) == (GraspPhase.HOLDING, FORCE)


def test_with_one_living_pad_that_feels_no_load_the_force_sinks(held):
    valid = np.zeros(len(TAXELS), bool)
    valid[np.argmax(grasps()["medium_wrap"].push)] = True
    phase, force = held(valid)
    assert phase == GraspPhase.HOLDING
    assert force < FORCE


def test_pads_that_live_and_feel_nothing_mean_that_it_is_lost(held):
    assert held(np.ones(len(TAXELS), bool))[0] == GraspPhase.LOST
