"""Hands that press on purpose, the squeeze between two of them, and a box that is lifted so."""

import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_body_control.box_lift import BoxLift
from neo_body_control.pressing import Pressing
from neo_body_control.squeeze import LEAST, MOST, Palm, Squeeze
from neo_body_control.validation import check_shape
from neo_bringup.body_bench import box_lift
from neo_bringup.body_bench.lab import Robot
from neo_description.errors import NeoError
from neo_description.signals import Safety, WholeBodyCommand
from neo_description.tables import CONTROL_RATE

EDGE = (0.55, -0.25, 0.74)  # m: behind the table's edge, lower than its top
INWARDS = {"l": np.array([0.0, -1.0, 0.0]), "r": np.array([0.0, 1.0, 0.0])}


def palms(normal, load):
    """Two palms that feel ``normal`` N and bear ``load`` N each."""
    out = {side: Palm(side) for side in "lr"}
    for side, palm in out.items():
        palm.force = -normal * INWARDS[side] - np.array([0.0, 0.0, load])
    return out


def settled(normal, load, bears=True, seconds=3.0):
    squeeze = Squeeze(INWARDS)
    squeeze.bears = bears
    for _ in range(round(seconds / 0.02)):
        squeeze.feel(palms(normal, load))
        squeeze.update(0.02)
    return squeeze


def test_a_press_comes_on_steadily_and_fades_when_it_is_asked_for_no_more():
    pressing = Pressing(0.1)
    pressing.ask("r", np.array([0.0, 30.0, 0.0]))
    seen = []
    for _ in range(CONTROL_RATE):
        pressing.step()
        seen.append(pressing.force["r"][1])
    assert np.diff([0.0, *seen]).max() < 1.0
    assert seen[-1] == pytest.approx(30.0, abs=0.1)
    assert not pressing.force["l"].any()
    pressing.ask("r", None)
    for _ in range(2 * CONTROL_RATE):
        pressing.step()
    assert not pressing.force["r"].any()


def test_a_press_without_a_target_or_that_is_no_force_is_refused():
    T = side_grasp("r", (0.4, -0.2, 0.9))
    assert "has no target" in check_shape(WholeBodyCommand(1.0, r_hand_press=np.array([0.0, 10.0, 0.0])))
    assert "(3,)" in check_shape(WholeBodyCommand(1.0, T_r_hand=T, r_hand_press=np.zeros(6)))
    assert "not finite" in check_shape(WholeBodyCommand(1.0, T_r_hand=T, r_hand_press=np.full(3, np.nan)))


def test_a_hand_at_the_tables_edge_presses_as_hard_as_it_is_asked_to_and_no_less():
    rig = Rig("kitchen_table").stand()
    hard = WholeBodyCommand(1.0, T_r_hand=side_grasp("r", EDGE), r_hand_press=np.array([500.0, 0.0, 0.0]))
    reason = rig.body.command(hard)
    assert "500.0 N" in reason
    assert "80 N" in reason
    rig.order(T_r_hand=side_grasp("r", (0.2, -0.25, 0.76)))
    rig.run(2.0)
    rig.order(T_r_hand=side_grasp("r", EDGE))  # until it meets the edge, and gives way there
    rig.run(1.5)
    here = rig.body.estimate.T_odom_r_gripper.copy()
    rig.order(T_r_hand=here, r_hand_press=np.array([25.0, 0.0, 0.0]))
    rig.run(1.5)
    felt = []
    for _ in range(100):
        rig.tick()
        R = rig.body._dynamics.data.body("r_wrist").xmat.reshape(3, 3)
        felt.append(-(R @ rig.plant.body_state().r_wrist_wrench[:3])[0])
    assert rig.state == Safety.ACTIVE
    assert np.median(felt) == pytest.approx(25.0, abs=6.0)  # more than the 15 N at which it would give way


def test_one_that_has_nothing_in_the_way_does_not_run_away():
    rig = Rig().stand()
    here = side_grasp("r", (0.3, -0.25, 0.9))
    rig.order(T_r_hand=here)
    rig.run(1.5)
    rig.order(T_r_hand=here, r_hand_press=np.array([25.0, 0.0, 0.0]))
    rig.run(1.5)
    assert rig.state == Safety.ACTIVE
    assert rig.gripper_truth("r")[0, 3] - here[0, 3] < 0.15


def test_the_squeeze_grows_with_the_weight_it_bears_and_has_a_most():
    light, heavy, huge = (settled(20.0, load).wanted for load in (3.0, 9.0, 100.0))
    assert LEAST < light < heavy < huge == MOST
    assert settled(20.0, 9.0, bears=False).wanted == LEAST


def test_a_press_that_arrives_too_weak_is_asked_for_harder():
    assert settled(10.0, 3.0).asked > settled(40.0, 3.0).asked
    squeeze = settled(40.0, 3.0)
    for _ in range(200):
        squeeze.fade(0.02)
    assert squeeze.asked == 0.0


def test_a_box_without_a_size_is_refused():
    with pytest.raises(NeoError, match="three lengths"):
        BoxLift(np.eye(4), np.array([0.2, -0.3, 0.1]), 0.1, 1.0)


def test_two_hands_that_find_nothing_between_them_say_so():
    robot = Robot(0).stand()
    T = np.eye(4)
    T[:3, 3] = 0.4, 0.0, 0.80
    lift = BoxLift(T, np.array(box_lift.SIZE), 0.1, 0.5)
    while not lift.outcome:
        robot.run(0.02)
        robot.order(**fields(lift.step(robot.plant.body_state(), robot.body.estimate, 0.02)))
    assert lift.outcome == "failed: nothing met between the hands"
    assert not robot.fell


def fields(command):
    names = ("T_l_hand", "T_r_hand", "hand_speed", "l_hand_press", "r_hand_press")
    return {name: getattr(command, name) for name in names}
