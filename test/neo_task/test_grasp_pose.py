"""Grasp poses: the gripper's axes, and a way in that keeps clear of everything."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_task.grasp_pose import Obstacle, arm_clearance, gripper_rotation, plan_grasp, takes
from neo_world_model import modalities

SIZE = np.array([0.066, 0.066, 0.215])
CURRENT = np.eye(4)
CURRENT[:3, 3] = 0.17, -0.21, 0.87


def at(x, y, z=0.887):
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


def plan(T, others=(), side="r"):
    return plan_grasp(side, takes()["bottle"], T, SIZE, CURRENT, list(others), 0.12, 0.05)


@pytest.mark.parametrize("side", ["l", "r"])
@pytest.mark.parametrize("heading", [-0.3, 0.0, 0.7])
def test_the_palm_faces_inwards_and_the_thumb_is_up(side, heading):
    R = gripper_rotation(side, heading, from_above=False)
    assert np.allclose(R.T @ R, np.eye(3))
    assert np.linalg.det(R) == pytest.approx(1.0)
    inwards = 1.0 if side == "r" else -1.0
    assert R[1, 2] * inwards > 0
    thumb = -R[:, 1] if side == "r" else R[:, 1]
    assert np.allclose(thumb, [0, 0, 1])


def test_fingers_point_down_to_what_stands_on_the_floor_and_not_on_a_table():
    low, high = plan(at(0.42, -0.2, 0.107)), plan(at(0.42, -0.2))
    assert low.T_grasp[2, 0] == pytest.approx(-np.sin(0.5))
    assert high.T_grasp[2, 0] == pytest.approx(0.0, abs=1e-9)
    assert low.T_grasp[2, 2] == pytest.approx(0.0, abs=1e-9)  # the palm stays upright
    assert low.T_back[2, 3] > low.T_before[2, 3] > low.T_grasp[2, 3] - 1e-9


def test_from_above_the_palm_looks_down():
    assert np.allclose(gripper_rotation("r", 0.0, from_above=True)[:, 2], [0, 0, -1])


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_tilt_lowers_the_fingertips_of_a_hand_from_above(side):
    R = gripper_rotation(side, 0.4, from_above=True, tilt=0.2)
    assert np.allclose(R.T @ R, np.eye(3))
    assert np.linalg.det(R) == pytest.approx(1.0)
    assert R[2, 0] == pytest.approx(-np.sin(0.2))
    assert R[2, 1] == pytest.approx(0.0)  # thumb and little finger stay level


@pytest.mark.parametrize("y", [-0.08, -0.15, -0.22, -0.28])
def test_the_way_goes_round_the_object_itself(y):
    """A straight line from the waiting hand once knocked over bottles that stood far out."""
    assert plan(at(0.40, y)).clearance >= 0.03


def test_another_heading_is_taken_when_a_neighbour_stands_in_the_way():
    T = at(0.42, -0.15)
    free = plan(T)
    beside = free.T_before[:3, 3] + 0.03 * (free.T_before[:3, 3] - free.T_grasp[:3, 3]) / 0.12
    neighbour = Obstacle(beside, 0.035, 0.3)
    other = plan(T, [neighbour])
    assert other.heading != free.heading
    assert other.clearance > 0.0


def test_what_lies_lower_than_the_hand_is_no_obstacle():
    T = at(0.42, -0.15)
    free = plan(T)
    plum = Obstacle(np.array([*free.T_before[:2, 3], 0.80]), 0.03, 0.02)
    assert plan(T, [plum]).heading == free.heading


def test_a_wrong_side_is_named():
    with pytest.raises(NeoError, match="no side 'x'"):
        plan(at(0.4, -0.1), side="x")


@pytest.mark.parametrize("name", ["fruit", "ball", "box"])
@pytest.mark.parametrize("side", ["l", "r"])
def test_low_things_are_taken_from_above(name, side):
    """From the side the hand's edge met the table before it reached a plum."""
    y = 0.2 if side == "l" else -0.2
    low = plan_grasp(
        side, takes()[name], at(0.4, y, 0.78), np.array([0.06, 0.06, 0.054]), CURRENT, [], 0.12, 0.05
    )
    assert low.T_grasp[2, 2] < -0.97  # the palm looks down
    assert np.allclose(low.T_before[:3, 3] - low.T_grasp[:3, 3], [0.0, 0.0, 0.12], atol=0.001)
    assert 0.064 < low.T_grasp[2, 3] - (0.78 - 0.027) < 0.070  # the fingertips stay off the table
    high = plan_grasp(side, takes()[name], at(0.4, y), np.array([0.06, 0.06, 0.12]), CURRENT, [], 0.12, 0.05)
    assert abs(high.T_grasp[2, 2]) < 1e-9


@pytest.mark.parametrize("side", ["l", "r"])
@pytest.mark.parametrize("diameter", [0.060, 0.078, 0.085])
def test_balls_of_every_size_lie_between_thumb_and_three_fingers(side, diameter):
    """From the side the hand's edge met the table: most balls above 75 mm were out of reach so."""
    T = at(0.4, 0.2 if side == "l" else -0.2, 0.77 + diameter / 2)
    plan = plan_grasp(side, takes()["ball"], T, np.full(3, diameter), CURRENT, [], 0.12, 0.05)
    assert plan.take.grasp == "sphere_4_finger"
    seen_from_hand = plan.T_grasp[:3, :3].T @ (T[:3, 3] - plan.T_grasp[:3, 3])
    thumb = 1.0 if side == "l" else -1.0
    assert seen_from_hand[1] * thumb == pytest.approx(0.010)  # under the middle finger, not between four
    assert seen_from_hand[0] == pytest.approx(0.034, abs=0.003)  # as far from the thumb as from the fingers


def test_the_grasps_of_all_classes_are_in_the_model_of_the_world():
    """A grasp it has no word for is no lesson."""
    rows = takes().values()
    used = {take.grasp for take in rows} | {take.low.grasp for take in rows if take.low}
    assert used <= set(modalities.table()["grasps"])


def test_an_arm_needs_room_between_its_wrist_and_its_shoulder():
    T, T_left = at(0.53, 0.145, 0.845), at(0.53, 0.145, 0.845)
    T[:3, :3] = gripper_rotation("r", 0.9, from_above=False)
    T_left[:3, :3] = gripper_rotation("l", 0.0, from_above=False)
    across = Obstacle(np.array([0.39, 0.06, 0.89]), 0.033, 0.22)
    assert arm_clearance("r", T, [across]) < 0.02
    assert arm_clearance("l", T_left, [across]) > 0.05
    assert arm_clearance("r", T, [Obstacle(np.array([0.39, 0.06, 0.80]), 0.033, 0.04)]) == 1.0, "it goes over"
