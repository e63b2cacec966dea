"""A hand that meets something gives way, and the body does not leave its feet to get a hand somewhere."""

import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_description.signals import Safety

EDGE = (0.55, -0.25, 0.74)  # m: behind the table's edge, lower than its top
ACROSS = (0.42, 0.45, 0.92)  # m: on the other side, farther than the right arm comes


def sent_against_the_edge(**body):
    rig = Rig("kitchen_table", **body).stand()
    rig.order(T_r_hand=side_grasp("r", (0.2, -0.25, 0.76)))
    rig.run(2.0)
    rig.order(T_r_hand=side_grasp("r", EDGE))
    return rig


def test_a_hand_that_is_sent_into_the_tables_edge_presses_no_harder_than_it_may():
    rig = sent_against_the_edge()
    rig.run(2.0)
    felt = []
    for _ in range(200):
        rig.tick()
        felt.append(np.linalg.norm(rig.body.yielding["r"].force))
    assert rig.state == Safety.ACTIVE
    assert np.median(felt) == pytest.approx(rig.body.params.hand_press, abs=2.0)
    assert rig.body.yielding["r"].away[0] < -0.1


def test_one_that_does_not_give_way_pushes_the_robot_over():
    rig = sent_against_the_edge(hand_press=100.0)
    assert rig.run(4.0, lambda: rig.state != Safety.ACTIVE)


def test_a_hand_goes_back_once_it_is_free():
    rig = sent_against_the_edge()
    rig.run(2.0)
    free = side_grasp("r", (0.25, -0.25, 0.95))
    rig.order(T_r_hand=free)
    rig.run(4.0)
    assert np.linalg.norm(rig.body.yielding["r"].away) < 0.001
    assert np.linalg.norm(rig.gripper_truth("r")[:3, 3] - free[:3, 3]) < 0.005


def test_weight_is_borne_and_not_given_way_to():
    rig = Rig("empty").stand()
    rig.order(T_r_hand=side_grasp("r", (0.35, -0.2, 0.9)))
    rig.run(2.0)
    rig.plant.push("r_wrist", np.array([0.0, 0.0, -20.0]), 1.0)
    rig.run(0.9)
    assert np.linalg.norm(rig.body.yielding["r"].away) < 0.001


def test_a_hand_that_cannot_get_somewhere_does_not_take_the_body_off_its_feet():
    rig = Rig("empty").stand()
    rig.order(T_r_hand=side_grasp("r", ACROSS))
    worst = 0.0
    for _ in range(1500):
        rig.tick()
        away = rig.plant.data.subtree_com[1, :2] - rig.body.targets.base.point.p[:2]
        worst = max(worst, float(np.linalg.norm(away)))
    assert rig.state == Safety.ACTIVE
    assert worst < 0.01
