"""The trigger: hysteresis, and taking over a hand that already does something."""

import numpy as np

from neo_description.signals import GraspPhase, GraspStatus, HandAction
from neo_teleop.frames import HandFrame
from neo_teleop.grip import Grip
from neo_teleop.teleop import load_parameters


def pull(grip, *triggers, **more):
    """Actions commanded, None where nothing new was."""
    commands = [grip.step(HandFrame(np.eye(4), True, t, "box_wrap", 0.05, **more)) for t in triggers]
    return [None if c is None else c.action for c in commands]


def taken(phase=GraspPhase.IDLE):
    grip = Grip(load_parameters())
    grip.take_over(GraspStatus(phase=phase, grasp="medium_wrap"))
    return grip


def test_a_trigger_shapes_closes_and_opens_a_hand():
    assert pull(taken(), 0.0, 0.5, 0.5, 0.9, 1.0, 0.1) == [
        None, HandAction.PRESHAPE, None, HandAction.CLOSE, None, HandAction.OPEN,
    ]  # fmt: skip


def test_a_trigger_that_trembles_at_an_edge_changes_nothing():
    grip = taken()
    pull(grip, 0.0, 0.36)
    assert pull(grip, 0.34, 0.36, 0.25) == [None] * 3
    pull(grip, 0.8)
    assert pull(grip, 0.7, 0.8, 0.3) == [None] * 3


def test_what_is_held_is_not_dropped_by_taking_over_with_an_open_trigger():
    grip = taken(GraspPhase.HOLDING)
    assert pull(grip, 0.0, 0.0, 0.6) == [None] * 3
    assert pull(grip, 0.9) == [None]  # now they agree
    assert pull(grip, 0.1) == [HandAction.OPEN]


def test_an_open_hand_does_not_close_because_the_trigger_is_pulled_when_it_is_taken_over():
    grip = taken()
    assert pull(grip, 1.0, 1.0) == [None] * 2
    assert pull(grip, 0.0, 0.9) == [None, HandAction.CLOSE]


def test_the_operator_chooses_grasp_and_width():
    grip = taken()
    grip.step(HandFrame(np.eye(4), True))
    command = grip.step(HandFrame(np.eye(4), True, 0.5, "box_wrap", 0.07))
    assert (command.grasp, command.width) == ("box_wrap", 0.07)


def test_what_is_held_can_be_given():
    grip = taken()
    pull(grip, 0.0, 0.9)
    assert pull(grip, 1.0, give=True) == [HandAction.GIVE]
    assert pull(grip, 1.0) == [HandAction.CLOSE]
