"""Broken tendons, encoders and IMUs: found from what is measured, and the robot goes on with what is left."""

import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_body_control.settings import load_parameters
from neo_description.signals import DriveMode, Safety, TendonCommand
from neo_description.tables import BODY
from neo_description.tendon_residuals import Residuals, ResidualSettings
from neo_description.tension_distribution import TensionDistribution
from neo_sim.drives import DriveGroup, DriveSettings
from neo_sim.plant import load_parameters as load_plant_parameters


@pytest.fixture(scope="module")
def shared():
    return Rig()


@pytest.fixture
def rig(shared):
    """The same robot, stood up anew."""
    shared.plant.reset(0)
    shared.body.update(shared.plant.body_state())
    return shared.stand()


def strike(rig, kind, part, seconds, **size):
    """Ms to what was found first, and what else was found."""
    at = rig.plant.time
    rig.plant.fault(kind, part, **size)
    rig.run(seconds)
    mine = [f for f in rig.body.health.found if f.part == part]
    others = [str(f) for f in rig.body.health.found if f.part != part]
    assert mine, f"{kind} of {part} was not found"
    return 1000.0 * (mine[0].time - at), others


def test_a_healthy_robot_that_is_pushed_and_reaches_finds_nothing(rig):
    rig.order(T_r_hand=side_grasp("r", [0.45, -0.15, 0.95]), base_height=0.75, hand_speed=1.0)
    rig.run(0.3)
    rig.plant.push("torso", np.array([40.0, 30.0, 0.0]), 0.1)
    rig.run(1.2)
    assert rig.body.health.found == []


@pytest.mark.parametrize(("asked", "kind"), [(2000.0, "less"), (0.0, "more")])
def test_a_motor_at_its_fastest_pulls_neither_more_nor_less_than_it_was_asked(asked, kind):
    """Steps that catch a push ask a hip for a kilonewton less at once."""
    drives = DriveGroup(BODY, DriveSettings.of(load_plant_parameters(), "body"))
    residuals = Residuals(BODY, ResidualSettings.of(load_parameters()))
    length, low, high = np.zeros(len(BODY.tendons)), BODY.pretension, 0.9 * BODY.tension_max
    drives.reset(length, low if asked else high)
    told = np.clip(asked, low, high)
    odd = 0
    for tick in range(100):
        residuals.tensions(tick, drives.mode, length, drives.tension)
        odd += int(getattr(residuals, kind).sum())
        command = TendonCommand(tick, DriveMode.TENSION, told if tick > 10 else drives.tension.copy())
        residuals.sent(command)
        assert drives.command(command, tick) is None
        drives.step(length, length)
        drives.step(length, length)
    assert np.abs(drives.tension - told).max() < 5.0
    assert odd == 0


@pytest.mark.parametrize(
    "tendon", ["l_knee_pitch_minus", "torso_pitch_minus", "r_hip_pitch_plus", "l_wrist_yaw_plus"]
)
def test_stands_after_a_tendon_is_cut(rig, tendon):
    """Without the monitor the robot fell within 1.2 s, but for the wrist, for which its body once swung."""
    ms, others = strike(rig, "cut", tendon, 1.6)
    assert ms <= 20.0
    assert not others
    assert rig.state == Safety.ACTIVE
    assert rig.plant.privileged.base_pose[2, 3] > 0.6
    assert f"{tendon} cut" in rig.body.health.report()


def test_the_partner_of_a_failed_tendon_makes_up_for_what_that_pulls():
    distribute, i = TensionDistribution(BODY), BODY.tendons.index("l_knee_pitch_plus")
    distribute.given = np.full(len(BODY.tendons), np.nan)
    arm = BODY.moment_arms[i // 2, i]
    for pulled, wanted, partner in ((0.0, 10.0, 20.0), (0.0, -9.0, 200.0), (300.0, 4.5, 200.0)):
        distribute.given[i] = pulled
        torque = np.zeros(len(BODY.joints))
        torque[i // 2] = wanted
        f = distribute(torque)
        assert f[i] == BODY.pretension[i]
        assert f[i + 1] == pytest.approx(partner)
        assert distribute.torque_range()[1][i // 2] == pytest.approx(arm * (pulled - 20.0))


def test_a_drive_that_pulls_on_its_own_is_held_by_its_partner(rig):
    j = BODY.index("l_hip_roll")
    before = rig.plant.body_state().joint_position[j]
    ms, others = strike(rig, "overpull", "l_hip_roll_plus", 1.0)
    assert ms <= 20.0
    assert not others
    assert rig.state == Safety.ACTIVE
    assert abs(rig.plant.body_state().joint_position[j] - before) < 0.05


def test_a_hot_drive_is_asked_for_no_more_than_it_gives(rig):
    i = BODY.tendons.index("r_knee_pitch_minus")
    strike(rig, "hot", "r_knee_pitch_minus", 1.8)
    assert rig.body.health.tendons.most[i] < 0.3 * BODY.tension_max[i]
    assert rig.state == Safety.ACTIVE


@pytest.mark.parametrize(("kind", "size"), [("offset", {"size": 0.0873}), ("lost", {})])
def test_the_angle_of_a_bad_encoder_comes_from_its_tendons(rig, kind, size):
    ms, others = strike(rig, kind, "r_knee_pitch", 0.8, **size)
    assert ms <= 20.0
    assert not others
    assert rig.state == Safety.ACTIVE
    true = rig.plant.data.qpos[rig.plant.index.body_qpos]
    assert abs(rig.body._qpos[7:] - true).max() < 0.005


def test_a_frozen_encoder_shows_as_soon_as_its_joint_moves(rig):
    rig.plant.fault("stuck", "l_knee_pitch")
    rig.order(base_height=0.72)
    assert rig.run(1.5, lambda: bool(rig.body.health.found))
    assert str(rig.body.health.found[0]) == "l_knee_pitch encoder wrong"
    true = rig.plant.data.qpos[rig.plant.index.body_qpos]
    assert abs(rig.body._qpos[7:] - true).max() < 0.03


def test_the_heads_imu_stands_in_for_the_pelvis_and_without_both_the_body_stops(rig):
    ms, _ = strike(rig, "frozen", "pelvis", 0.6)
    assert ms <= 20.0
    assert rig.state == Safety.ACTIVE
    strike(rig, "frozen", "head", 0.1)
    assert rig.state == Safety.STOP
    assert rig.body.safety.reason == "both IMUs have failed"
    assert rig.body.set_mode("stand") == "both IMUs have failed"


def test_a_joint_of_a_leg_without_tendons_stops_the_body(rig):
    strike(rig, "cut", "l_ankle_roll_plus", 0.05)
    strike(rig, "cut", "l_ankle_roll_minus", 0.05)
    assert rig.state == Safety.STOP
    assert "both tendons of l_ankle_roll" in rig.body.safety.reason


def test_verdicts_stay_until_the_runstop_is_released(rig):
    strike(rig, "slack", "neck_yaw_plus", 0.5, size=0.002)
    assert not rig.body.health.well
    rig.plant.runstop(True)
    rig.run(0.02)
    assert not rig.body.health.well
    rig.plant.runstop(False)
    rig.run(0.1)
    assert rig.body.health.well
    assert rig.plant.drives["body"].mode == DriveMode.HOLD
