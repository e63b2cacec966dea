"""Fingers and walking: what an operator's joints and velocity may do to the robot, and when not."""

import numpy as np
import pytest

from neo_description.signals import BodyEstimate, GraspPhase, GraspStatus, HandAction, Safety
from neo_description.tables import HAND
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.teleop import Teleop

DT = 0.02
BENT = np.clip(np.full(22, 0.8), HAND.q_min, HAND.q_max)
OPEN = np.clip(np.zeros(22), HAND.q_min, HAND.q_max)


class Operated:
    """A robot that stands still, and an operator's right hand and walking button."""

    def __init__(self, phase=GraspPhase.IDLE, fingers=OPEN):
        self.teleop, self.time, self.safety = Teleop(), 5.0, Safety.ACTIVE
        self.hands = {"l": GraspStatus(), "r": GraspStatus(phase=phase)}
        self.fingers = {"r": fingers}

    def say(self, clutch=True, joints=None, walk=None, heard=True):
        self.time += DT
        T = np.eye(4)
        estimate = BodyEstimate(0, self.time, T, np.zeros(6), T, T, T, self.safety)
        frame = OperatorFrame(self.time, {"r": HandFrame(np.eye(4), clutch, joints=joints)}, walk=walk)
        return self.teleop.step(frame if heard else None, estimate, self.hands, self.fingers)

    def bend(self, joints, steps):
        self.say(clutch=False, joints=joints)
        orders = [self.say(joints=joints) for _ in range(steps)]
        return [command for order in orders for _, command in order.hands]


def test_an_empty_hand_follows_the_fingers_from_where_it_is_at_a_bounded_speed():
    robot = Operated()
    told = robot.bend(BENT, 40)
    assert {command.action for command in told} == {HandAction.JOINTS}
    asked = np.array([command.joint_position for command in told])
    np.testing.assert_allclose(asked[0], OPEN)
    assert np.abs(np.diff(asked, axis=0)).max() <= robot.teleop.params.finger_speed * DT + 1e-9
    np.testing.assert_allclose(asked[-1], BENT)


def test_a_hand_that_holds_is_not_opened_by_open_fingers_that_take_it_over():
    robot = Operated(GraspPhase.HOLDING, BENT)
    assert robot.bend(OPEN, 20) == []
    near = np.clip(BENT - 0.1, HAND.q_min, HAND.q_max)
    for _ in range(20):
        robot.say(joints=near)
    (command,) = [command for _, command in robot.say(joints=OPEN).hands]
    assert command.action == HandAction.JOINTS  # met once, they count


def test_fingers_of_a_hand_whose_joints_are_not_known_move_nothing():
    assert Operated(fingers=None).bend(BENT, 5) == []


@pytest.mark.parametrize("joints", [np.full(22, np.nan), np.zeros(21)], ids=["not finite", "21"])
def test_fingers_that_are_none_let_go_of_the_hand(joints):
    robot = Operated()
    robot.bend(BENT, 3)
    robot.say(joints=joints)
    assert "fingers of shape" in robot.teleop.clutches["r"].reason


def velocities(orders):
    return [c.base_velocity for c in orders.body if c.base_velocity is not None]


def test_walking_needs_the_button_pressed_on_purpose_and_is_bounded():
    robot, fast = Operated(), np.array([5.0, 0.0, -0.1])
    assert velocities(robot.say(walk=fast)) == []  # down from the beginning
    robot.say()
    (asked,) = velocities(robot.say(walk=fast))
    np.testing.assert_allclose(asked, [robot.teleop.params.walk_speed, 0.0, -0.1])


def test_walking_ends_with_the_link_and_a_button_still_down_does_not_begin_it_again():
    robot, ahead = Operated(), np.array([0.2, 0.0, 0.0])
    robot.say()
    robot.say(walk=ahead)
    for _ in range(11):
        assert velocities(robot.say(heard=False)) == []
    assert not robot.teleop.walk.engaged
    assert "nothing heard" in robot.teleop.walk.reason
    assert velocities(robot.say(walk=ahead)) == []
    robot.say()
    assert len(velocities(robot.say(walk=ahead))) == 1


def test_release_lets_go_of_all_and_only_another_press_takes_hold():
    robot = Operated()
    robot.say(clutch=False)
    robot.say(walk=np.zeros(3))
    assert robot.teleop.engaged
    robot.teleop.release("the page is gone")
    assert not robot.teleop.engaged
    assert robot.teleop.clutches["r"].reason == "the page is gone"
    assert robot.say().body == []
    robot.say(clutch=False)
    assert robot.say().body
