"""Hands that go low take the body with them; pushes make it stiff for a while."""

import numpy as np
from body_rig import Rig, side_grasp

from neo_body_control.lasting_errors import LastingBend
from neo_body_control.load import support_of
from neo_body_control.rotations import exp, log
from neo_body_control.settings import bending, load_parameters
from neo_body_control.targets import Targets
from neo_description.signals import Safety, WholeBodyCommand
from neo_description.tables import BODY


def test_the_body_bends_only_as_deep_as_a_hand_needs():
    p = load_parameters()
    bend = bending(p)
    assert bend.least(0.84) is None  # a table
    stances = [bend.least(z) for z in (0.60, 0.40, 0.20, 0.05)]
    heights = [s.height for s in stances]
    assert heights == sorted(heights, reverse=True)
    assert p.bend_height <= heights[-1] < heights[0] < p.stand_height
    assert bend.drop > 0.4


def test_a_hand_comes_to_a_place_near_the_floor_and_the_body_rises_after_it():
    rig = Rig(sim={"mass_error": 0.1, "arm_error": 0.05}).stand()
    stood = rig.plant.privileged.base_pose[2, 3]  # a robot that is heavier than it believes stands lower
    T = side_grasp("r", [0.35, -0.20, 0.20], 0.0)
    c, s = np.cos(0.7), np.sin(0.7)
    T[:3, :3] = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]]) @ T[:3, :3]
    rig.order(T_r_hand=T, hand_speed=0.5)
    rig.run(3.5)
    assert np.linalg.norm(rig.gripper_truth("r")[:3, 3] - T[:3, 3]) < 0.01
    assert rig.plant.privileged.base_pose[2, 3] < 0.75
    rig.order(release=("r",))
    rig.run(3.0)
    assert abs(rig.plant.privileged.base_pose[2, 3] - stood) < 0.02
    assert rig.state == Safety.ACTIVE


def test_a_hand_without_a_target_comes_down_less_than_the_body():
    rig = Rig().stand()
    rig.run(2.0)
    body, hand = rig.body.estimator.height, rig.gripper_truth("l")[2, 3]
    rig.order(T_r_hand=side_grasp("r", (0.05, -0.32, 0.45)))
    rig.run(3.0)
    lower = body - rig.body.estimator.height
    assert lower > 0.15
    assert hand - rig.gripper_truth("l")[2, 3] < 0.6 * lower  # there may be a table below it


def test_the_pelvis_keeps_its_lean_while_bent_whatever_it_weighs_and_forgets_it_when_it_stands():
    lasting, R, lean = LastingBend(), exp(np.array([0.0, 0.6, 0.0])), exp(np.array([0.0, 0.35, 0.0]))
    for _ in range(500):
        asked = lasting.upright(R, lean, 2.0)
    assert log(asked)[1] < log(lean)[1] - 0.2  # leans 0.6 rad: less than 0.35 is asked for
    assert lasting.height(0.47, 0.50, 2.0) > 0.50
    for _ in range(5000):
        asked = lasting.upright(R, lean, 0.0)
    np.testing.assert_allclose(asked, lean, atol=1e-3)


def test_a_hand_is_not_low_before_the_body_has_bent():
    targets = Targets(load_parameters())
    T = side_grasp("r", (0.4, -0.2, 0.9))
    targets.start(np.zeros(len(BODY.joints)), np.zeros(3), 0.825, np.eye(3), np.zeros(3))
    low = side_grasp("r", (0.4, -0.2, 0.1))
    command = WholeBodyCommand(60.0, T_r_hand=low, hand_speed=1.0)
    targets.apply(command, 0.0, {"r": T}, np.zeros(len(BODY.joints)), np.zeros(3))
    for tick in range(500):
        targets.step(0.002 * tick)
    pelvis, hand = targets.base.point.p[2], targets.hands["r"].point.p[2]
    assert pelvis > 0.7
    assert hand > 0.5  # at 1 m/s it would have been there
    for tick in range(500, 2500):
        targets.step(0.002 * tick)
    assert abs(targets.hands["r"].point.p[2] - 0.1) < 0.01


def test_stiff_while_pushed_and_soft_again_when_all_is_quiet():
    rig = Rig().stand()
    rig.run(1.0)
    assert rig.body.stiffness.level < 0.05
    rig.plant.push("torso", np.array([60.0, 0.0, 0.0]), 0.1)
    rig.run(0.2)
    assert rig.body.stiffness.level > 0.5
    pair = rig.body._answer.tension.reshape(-1, 2).min(axis=1) / BODY.pretension[0::2]
    assert pair.min() > 1.5
    rig.run(2.0)
    assert rig.body.stiffness.level < 0.05


def test_five_kilograms_in_each_hand_are_lifted_and_the_body_does_not_go_back_from_them():
    rig = Rig(seed=2, sim={"mass_error": 0.1, "arm_error": 0.05}).stand()
    stood = rig.plant.privileged.base_pose[0, 3]
    targets = {side: side_grasp(side, [0.35, y, 0.90]) for side, y in (("l", 0.2), ("r", -0.2))}
    rig.order(**{f"T_{side}_hand": T for side, T in targets.items()})
    rig.run(1.5)
    for _ in range(10):
        for side in targets:
            rig.plant.tie(f"{side}_wrist", 0.5, (0.0, 0.0, -0.1))
        rig.run(0.05)
    rig.run(1.5)
    for T in targets.values():
        T[2, 3] += 0.15
    rig.order(**{f"T_{side}_hand": T for side, T in targets.items()}, hand_speed=0.2)
    rig.run(3.0)
    assert rig.state == Safety.ACTIVE
    for side, T in targets.items():
        assert abs(rig.body.loads[side].mass - 5.0) < 0.5
        assert np.linalg.norm(rig.gripper_truth(side)[:3, 3] - T[:3, 3]) < 0.02
    back = stood - rig.plant.privileged.base_pose[0, 3]
    print(f"the pelvis went back by {100 * back:.1f} cm")
    assert back < 0.12


def test_the_support_goes_towards_a_load_as_far_as_it_may():
    rig = Rig().stand()
    place = np.array([0.02, 0.0, 0.3])
    dynamics, loads = rig.body._dynamics, rig.body.loads
    assert support_of(loads, dynamics, {"r"}, place, 0.06) is place
    loads["r"].mass = 0.2
    to_hand = dynamics.frames["r_gripper"].p[:2] - place[:2]
    expected = 0.2 * to_hand / (0.2 + float(dynamics.M[0, 0]))
    moved = support_of(loads, dynamics, {"r"}, place, 0.06)
    np.testing.assert_allclose(moved, [*(place[:2] + expected), 0.3])
    assert support_of(loads, dynamics, set(), place, 0.06) is place  # an arm without a target goes along
    loads["r"].mass = 6.0
    moved = support_of(loads, dynamics, {"r"}, place, 0.01)[:2] - place[:2]
    np.testing.assert_allclose(moved, 0.01 * to_hand / np.linalg.norm(to_hand))
