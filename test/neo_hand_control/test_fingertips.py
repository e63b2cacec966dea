"""Fingertips follow points in the wrist's frame: references within limits, true tips within 2 mm."""

import numpy as np
import pytest

from neo_bringup.hand_bench import fingertips as bench
from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, HandAction, HandCommand, HandState
from neo_description.tables import CONTROL_DT, HAND
from neo_hand_control.controller import PARAMETERS, HandController
from neo_hand_control.fingertips import FINGERS, SPEED, FingertipFollower
from neo_sim import hand_rig

PLANT = hand_rig.Path(hand_rig.__file__).with_name("parameters.yaml")


@pytest.mark.parametrize("side", "lr")
def test_tips_are_where_the_plants_geometry_has_them(side):
    rig, follower = hand_rig.HandRig(side), FingertipFollower(side)
    rng = np.random.default_rng(0)
    q = rng.uniform(HAND.q_min, HAND.q_max)
    rig.data.qpos[rig._hands[side].q] = q
    bench.mujoco.mj_forward(rig.model, rig.data)
    follower.reset(q)
    for finger, tip in bench.privileged_tips(rig, side).items():
        np.testing.assert_allclose(follower.tip(finger), tip, atol=1e-9)


@pytest.mark.parametrize("side", "lr")
def test_what_a_finger_can_reach_is_found(side):
    follower, truth = FingertipFollower(side, bench.bent()), FingertipFollower(side)
    rng = np.random.default_rng(1)
    for _ in range(20):
        truth.reset(
            np.clip(
                bench.bent() + rng.uniform(-0.4, 0.4, len(HAND.joints)), HAND.q_min + 0.02, HAND.q_max - 0.02
            )
        )
        want = {finger: truth.tip(finger) for finger in FINGERS}
        follower.find(want)
        for finger, tip in want.items():
            assert np.linalg.norm(follower.tip(finger) - tip) < 2e-4, finger


def test_references_stay_within_the_joints_ranges_whatever_is_asked():
    follower = FingertipFollower("r", bench.bent())
    rng = np.random.default_rng(2)
    last = follower.q
    for _ in range(200):
        q, qd = follower.step({finger: rng.normal(size=3) for finger in FINGERS})
        assert (q >= HAND.q_min).all()
        assert (q <= HAND.q_max).all()
        assert np.isfinite(qd).all()
        assert (np.abs(q - last) <= SPEED * CONTROL_DT + 1e-9).all()
        last = q


def test_out_of_reach_is_pointed_at_and_left_again():
    follower = FingertipFollower("r", bench.bent())
    home = {finger: follower.tip(finger) for finger in FINGERS}
    for _ in range(100):
        follower.step({"index": home["index"] + np.array([0.0, 0.3, -0.3])})
    for _ in range(200):
        follower.step(home)
    for finger, tip in home.items():
        assert np.linalg.norm(follower.tip(finger) - tip) < 2e-4, finger


def test_velocities_are_those_of_the_references():
    follower = FingertipFollower("l", bench.bent())
    middle = follower.tip("index")
    for k in range(300):
        t = k * CONTROL_DT
        x = middle + 0.01 * np.array([0.0, np.sin(5 * t), np.cos(5 * t) - 1.0])
        v = 0.05 * np.array([0.0, np.cos(5 * t), -np.sin(5 * t)])
        before = follower.q.copy()
        q, qd = follower.step({"index": x}, {"index": v})
    np.testing.assert_allclose((q - before) / CONTROL_DT, qd, rtol=0.05, atol=0.02)
    assert np.abs(qd).max() > 0.3


def test_other_fingers_stay_where_they_are():
    follower = FingertipFollower("r", bench.bent())
    before = follower.q.copy()
    q, _ = follower.step({"thumb": follower.tip("thumb") + 0.005})
    moved = np.flatnonzero(q != before)
    assert {HAND.joints[i].split("_")[0] for i in moved} == {"thumb"}
    np.testing.assert_array_equal(follower.step({})[0], q)


def test_nonsense_is_refused_by_name():
    follower = FingertipFollower("r")
    with pytest.raises(NeoError, match=r"pinky.*one of thumb"):
        follower.step({"pinky": np.zeros(3)})
    with pytest.raises(NeoError, match="finite"):
        follower.step({"index": np.array([0.0, np.nan, 0.0])})


@pytest.mark.parametrize("seed", [0, 1])
def test_true_tips_follow_within_two_millimetres(seed):
    """All five fingers, both hands (by seed), with noise, bias, lag and friction; no clock is looked at."""
    result = bench.measure(seed)
    for finger, error in result["error"].items():
        print(f"{result['side']} {finger}: p50 {1e3 * np.median(error):.2f} max {1e3 * max(error):.2f} mm")
        assert max(error) < 0.002, finger
    print(f"cpu p50 {1e3 * result['cpu']:.3f} + {1e3 * result['cpu_path']:.3f} ms a tick")


def test_drives_that_are_not_as_written_down_cost_little():
    """Half as much lag again, stiffer tendons, three times the friction: motion costs 80 % more."""
    plant = parameters.load(PLANT, hand_lag=0.009, hand_series_stiffness=3600.0, friction=0.1)
    errors = np.concatenate(list(bench.measure(4, plant=plant)["error"].values()))
    print(f"p95 {1e3 * np.percentile(errors, 95):.2f} mm")
    assert np.percentile(errors, 95) < 0.003


def test_a_velocity_that_is_none_is_refused():
    hand = HandController("r")
    with pytest.raises(NeoError, match="22 finite"):
        hand.move_with(np.zeros(3))
    with pytest.raises(NeoError, match="22 finite"):
        hand.move_with(np.full(len(HAND.joints), np.nan))


def test_a_velocity_counts_for_one_tick():
    """A path whose sender stopped used to be a target that runs on."""
    params = parameters.load(PARAMETERS, monitor=False)  # these states tell nothing of the tendons
    twins = [HandController("r", params), HandController("r", params)]
    q = bench.bent()
    for tick in range(40):
        state = HandState(tick=tick, time=tick / 500, joint_position=q, drive_mode=DriveMode.TENSION)
        for hand in twins:
            if tick == 1:
                assert hand.command(HandCommand(HandAction.JOINTS, joint_position=q)) is None
        if tick == 20:
            twins[0].move_with(np.full(len(HAND.joints), 1.0))
        answers = [hand.update(state).tension for hand in twins]
        if tick == 20:
            assert np.abs(answers[0] - answers[1]).max() > 0.1
        else:
            np.testing.assert_allclose(answers[0], answers[1], atol=1e-9)
