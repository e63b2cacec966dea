"""The parts of the body's bench that lift: one pick from the floor, one box, and what their judges see."""

import json

import numpy as np

from neo_bringup.body_bench import box_lift, floor_pick
from neo_bringup.body_bench.lab import Robot


def test_a_bottle_is_picked_from_the_floor_and_held_while_the_robot_stands(tmp_path):
    said = []
    sample = floor_pick.measure("pick", 0, tmp_path, said.append)
    assert sample["done"], said
    assert sample["outside"] == sample["refused"] == 0
    json.dumps(sample)  # the bench keeps it
    assert floor_pick.figures({"0/floor_pick/pick": sample})[0].value == 1.0


def test_a_heavy_box_is_lifted_level_between_both_hands_and_put_down(tmp_path):
    said = []
    sample = box_lift.measure("lift", 14, tmp_path, said.append)
    assert sample["done"], said
    json.dumps(sample)
    assert sample["held"] >= box_lift.LONG
    assert sample["pressed"] < 80.0
    assert sample["tilt"] < 20.0  # 33 with hands that their palms' friction turned


def test_a_box_that_nobody_lifts_is_no_success():
    scene = box_lift.stand_with_box(1.0, 0.7, (0.4, 0.0, 0.6), 0.0)
    robot = Robot(0, scene=scene)
    judge = box_lift._Judge(robot.plant.privileged, 0.6)
    judge.look(0.0)
    judge.look(5.0)
    assert judge.held == 0.0
    assert not judge.good()


def test_what_is_told_is_near_the_truth_and_not_the_truth():
    scene = box_lift.stand_with_box(1.0, 0.7, (0.4, 0.01, 0.6), 0.05)
    robot = Robot(0, scene=scene).stand()
    T = box_lift.told(robot, np.random.default_rng(0))
    off = np.linalg.norm(T[:3, 3] - robot.plant.privileged.object_pose("carton")[:3, 3])
    assert 1e-4 < off < 0.03
