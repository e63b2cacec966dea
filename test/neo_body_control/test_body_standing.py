"""The robot stands, leans, squats and is pushed on the plant, on its own estimate alone."""

import numpy as np
import pytest
from body_rig import Rig, angle, side_grasp

from neo_body_control.settings import load_parameters
from neo_description.signals import DriveMode, Safety, WholeBodyCommand


def estimate_errors(rig):
    """Position (m), tilt (rad) of the estimated pelvis against the truth."""
    T, T_true = rig.body.estimate.T_odom_base, rig.plant.privileged.base_pose
    up = T[:3, :3].T[:, 2] @ T_true[:3, :3].T[:, 2]
    return np.linalg.norm(T[:3, 3] - T_true[:3, 3]), np.arccos(min(up, 1.0))


def test_stands_ten_seconds_from_stop_with_little_drift():
    rig = Rig()
    rig.run(0.1)
    assert rig.state == Safety.STOP
    assert rig.plant.drives["body"].mode == DriveMode.HOLD
    rig.stand()
    rig.run(1.5)  # the stance is reached
    com, worst = rig.plant.privileged.com, 0.0
    for _ in range(80):
        rig.run(0.1)
        worst = max(worst, np.linalg.norm(rig.plant.privileged.com - com))
        position, tilt = estimate_errors(rig)
        assert position < 0.005
        assert np.degrees(tilt) < 0.5
    print(
        f"com moved by {1000 * worst:.2f} mm in 8 s; controller p50 {1e6 * np.median(rig.cpu):.0f} us a tick"
    )
    assert rig.state == Safety.ACTIVE
    assert worst < 0.004
    assert not rig.refused


def test_the_first_tensions_do_not_jump():
    """Standing up takes over from hold: what a joint feels changes gently."""
    rig = Rig()
    rig.run(0.1)
    assert rig.body.set_mode("stand") is None
    before = rig.plant.drives["body"].tension.copy()
    rig.run(0.02)
    after = rig.plant.drives["body"].tension
    assert np.abs(after - before).max() < 120.0
    assert rig.state == Safety.STANDING_UP


def test_a_robot_that_nobody_asks_for_anything_stands_at_ease_until_it_is_asked():
    rig = Rig(ease_after=2.0).stand()

    def height():
        return rig.plant.privileged.base_pose[2, 3]

    def holds():
        return float(np.sum(rig.plant.drives["body"].tension ** 2))

    rig.run(1.0)
    ready, cost = height(), holds()
    rig.run(5.0)
    assert height() > ready + 0.02
    assert holds() < 0.7 * cost
    rig.order(T_r_hand=side_grasp("r", [0.45, -0.15, 0.95]), valid_for=2.0)
    rig.run(1.5)
    assert abs(height() - ready) < 0.005
    rig.run(4.0)
    assert abs(height() - ready) < 0.005, "a hand that has been sent somewhere is kept there, not at ease"


def test_a_robot_that_may_walk_keeps_its_knees_bent():
    targets = Rig(walking=True, ease_after=0.0).body.targets
    for tick in range(500):
        targets.step(0.002 * tick)
    assert targets.base.point.target[2] == load_parameters().stand_height


def test_squats_and_rises_again():
    rig = Rig().stand()
    for height in (0.675, 0.84):
        rig.order(base_height=height)
        rig.run(3.0)
        assert abs(rig.plant.privileged.base_pose[2, 3] - height) < 0.01
        position, tilt = estimate_errors(rig)
        assert position < 0.005
        assert np.degrees(tilt) < 0.5
    assert rig.state == Safety.ACTIVE


def test_estimate_holds_while_leaning_to_reach():
    rig = Rig().stand()
    rig.order(T_r_hand=side_grasp("r", [0.62, -0.30, 0.80]))
    for _ in range(20):
        rig.run(0.1)
        position, tilt = estimate_errors(rig)
        assert position < 0.005
        assert np.degrees(tilt) < 0.5
    assert angle(rig.plant.privileged.base_pose[:3, :3]) > 0.02  # it does lean


@pytest.mark.parametrize("direction", [0, 90, 180, 270])
def test_survives_a_push_of_six_newton_seconds(direction):
    rig = Rig().stand()
    a = np.radians(direction)
    rig.plant.push("torso", 60.0 * np.array([np.cos(a), np.sin(a), 0.0]), 0.1)
    rig.run(2.5)
    assert rig.state == Safety.ACTIVE
    assert not rig.plant.privileged.fallen
    assert np.degrees(angle(rig.plant.privileged.base_pose[:3, :3])) < 4.0


@pytest.mark.parametrize(
    "sim",
    [{"body_lag": 0.003}, {"body_lag": 0.014}, {"delay": 0.005}, {"body_series_stiffness": 5000.0}],
    ids=str,
)
def test_stands_and_reaches_on_other_drives(sim):
    """Compensation of the drives' damping once made light joints swing when the drives were better."""
    rig = Rig(sim=sim).stand()
    T = side_grasp("r", [0.45, -0.15, 0.95])
    rig.order(T_r_hand=T)
    rig.run(2.5)
    assert rig.state == Safety.ACTIVE
    assert np.linalg.norm(rig.gripper_truth("r")[:3, 3] - T[:3, 3]) < 0.01


def test_a_push_too_hard_ends_in_falling_and_crouch():
    rig = Rig().stand()
    rig.plant.push("torso", np.array([0.0, 300.0, 0.0]), 0.1)
    assert rig.run(3.0, lambda: rig.state == Safety.FALLING)
    rig.run(0.01)
    assert rig.plant.drives["body"].mode == DriveMode.CROUCH
    assert "falling" in rig.body.command(WholeBodyCommand(valid_for=1.0))


def test_stands_up_again_from_the_drives_own_crouch():
    rig = Rig(sim={"hold_time": 0.2, "crouch_time": 2.0}).stand()
    for _ in range(1080):  # the body falls silent: hold, then crouch
        rig.plant.step()
    assert rig.plant.drives["body"].mode == DriveMode.CROUCH
    rig.run(0.02)
    assert rig.state == Safety.STOP
    assert rig.plant.privileged.base_pose[2, 3] < 0.65
    rig.stand()
    rig.run(2.5)
    assert rig.state == Safety.ACTIVE
    assert abs(rig.plant.privileged.base_pose[2, 3] - rig.body.params.stand_height) < 0.02
