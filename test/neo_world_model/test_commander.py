"""Commands become actions and actions the same commands again."""

import numpy as np

from neo_description.signals import BodyState, HandAction, HandCommand, HandState, WholeBodyCommand
from neo_world_model.commander import FARTHEST, SURE, Commander
from neo_world_model.modalities import part
from neo_world_model.stepper import Stepper


def pose(x, y, z, angle=0.3):
    T = np.eye(4)
    T[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    T[:3, 3] = x, y, z
    return T


BASE = pose(0.05, -0.02, 0.85, 0.1)


def stepped(*commands):
    stepper = Stepper()
    stepper.sense(BodyState(), {side: HandState() for side in ("l", "r")}, None)
    for target, command in commands:
        stepper.asked(target, command)
    return stepper.action(BASE)


def test_what_was_asked_for_is_asked_for_again():
    T, gaze = pose(0.4, -0.2, 0.95), np.array([0.45, -0.1, 0.8])
    action = stepped(
        ("body", WholeBodyCommand(valid_for=9.0, T_r_hand=T, hand_speed=0.12, gaze=gaze)),
        ("r_hand", HandCommand(HandAction.PRESHAPE, grasp="box_wrap", width=0.06)),
    )
    body, hands = Commander().give(action, BASE)
    np.testing.assert_allclose(body.T_r_hand, T, atol=1e-6)
    np.testing.assert_allclose(body.gaze, gaze, atol=1e-6)
    assert abs(body.hand_speed - 0.12) < 1e-6
    assert body.T_l_hand is None
    ((side, hand),) = hands
    assert (side, hand.action, hand.grasp) == ("r", HandAction.PRESHAPE, "box_wrap")
    assert abs(hand.width - 0.06) < 1e-6


def test_hands_are_told_once_and_grippers_again_and_again():
    action = stepped(
        ("body", WholeBodyCommand(valid_for=9.0, T_l_hand=pose(0.4, 0.2, 0.9))),
        ("l_hand", HandCommand(HandAction.CLOSE, grasp="medium_wrap")),
    )
    commander = Commander()
    _, first = commander.give(action, BASE)
    again, second = commander.give(action, BASE)
    assert [hand.action for _, hand in first] == [HandAction.CLOSE]
    assert second == []
    assert again.T_l_hand is not None


def test_a_gripper_that_is_free_again_is_released_once():
    moving = stepped(("body", WholeBodyCommand(valid_for=9.0, T_l_hand=pose(0.4, 0.2, 0.9))))
    commander = Commander()
    commander.give(moving, BASE)
    free = stepped()
    assert commander.give(free, BASE)[0].release == ("l",)
    assert commander.give(free, BASE)[0].release == ()


def test_what_is_held_is_not_let_go_by_a_few_steps_that_say_so():
    closed = stepped(("r_hand", HandCommand(HandAction.CLOSE, grasp="medium_wrap")))
    opened = closed.copy()
    opened[part("action", "r_closing")] = 0.0
    commander = Commander()
    commander.give(closed, BASE)
    assert [commander.give(opened, BASE)[1] for _ in range(SURE - 1)] == [[]] * (SURE - 1)
    commander.give(closed, BASE)
    assert [commander.give(opened, BASE)[1] for _ in range(SURE - 1)] == [[]] * (SURE - 1)
    assert commander.give(opened, BASE, keeps=["r"])[1] == []
    ((side, hand),) = commander.give(opened, BASE)[1]
    assert (side, hand.action) == ("r", HandAction.OPEN)


def test_only_what_is_held_is_given():
    action = stepped(("r_hand", HandCommand(HandAction.CLOSE, grasp="medium_wrap")))
    action[part("action", "r_closing")] = 1.5
    commander = Commander()
    ((_, first),) = commander.give(action, BASE)[1]
    ((_, second),) = commander.give(action, BASE)[1]
    assert (first.action, second.action) == (HandAction.CLOSE, HandAction.GIVE)


def test_a_hand_that_lost_what_it_held_stays_open_until_a_plan_begins_anew():
    close, shape = (
        stepped(("l_hand", HandCommand(action, grasp="medium_wrap")))
        for action in (HandAction.CLOSE, HandAction.PRESHAPE)
    )
    commander = Commander()
    commander.give(close, BASE)
    assert commander.lost("l").action == HandAction.OPEN
    assert commander.lost("l") is None
    assert commander.give(close, BASE)[1] == []
    assert [hand.action for _, hand in commander.give(shape, BASE)[1]] == [HandAction.PRESHAPE]
    assert [hand.action for _, hand in commander.give(close, BASE)[1]] == [HandAction.CLOSE]


def test_a_gripper_is_not_sent_out_of_reach():
    body, _ = Commander().give(
        stepped(("body", WholeBodyCommand(valid_for=9.0, T_l_hand=BASE @ pose(2.0, 0.0, 0.1)))), BASE
    )
    place = (np.linalg.inv(BASE) @ body.T_l_hand)[:3, 3]
    np.testing.assert_allclose(place, [FARTHEST, 0.0, 0.1], atol=1e-6)


def test_a_gripper_waits_while_its_hand_closes():
    there, up = (
        stepped(("body", WholeBodyCommand(valid_for=9.0, T_l_hand=BASE @ pose(0.4, 0.2, z))))
        for z in (0.0, 0.2)
    )
    commander = Commander()
    commander.give(there, BASE)
    waits, _ = commander.give(up, BASE, closing=["l"])
    np.testing.assert_allclose(waits.T_l_hand, BASE @ pose(0.4, 0.2, 0.0), atol=1e-6)
    goes, _ = commander.give(up, BASE)
    np.testing.assert_allclose(goes.T_l_hand, BASE @ pose(0.4, 0.2, 0.2), atol=1e-6)
