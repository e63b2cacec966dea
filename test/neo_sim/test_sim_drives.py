"""Tendon drives: what they refuse, the ladder hold → crouch → limp, and how tension follows a command."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import neo_sim.drives
from neo_description import parameters
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import BODY, HAND
from neo_sim.drives import DriveGroup, DriveSettings

PARAMETERS = Path(neo_sim.drives.__file__).with_name("parameters.yaml")
N = len(BODY.tendons)
STILL = np.zeros(N)


def group(crouch=True, **overrides):
    params = parameters.load(PARAMETERS, **overrides)
    posture = np.full(len(BODY.joints), 0.2) if crouch else None
    drives = DriveGroup(BODY, DriveSettings.of(params, "body"), posture)
    drives.reset(STILL, 2.0 * BODY.pretension)
    return drives


def tension(factor=2.0):
    return factor * BODY.pretension


def command(tick, mode=DriveMode.TENSION, value=None):
    return TendonCommand(tick, mode, tension() if value is None else value)


def with_one(index, value):
    f = tension()
    f[index] = value
    return f


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("wrong_length", command(5, value=np.full(N - 1, 50.0)), f"61 tensions given; {N} needed"),
        ("wrong_length", command(5, value=np.full((N, 1), 50.0)), f"{N} needed"),
        ("not_finite", command(5, value=with_one(3, np.nan)), "l_hip_roll_minus is nan"),
        ("not_finite", command(5, value=with_one(4, np.inf)), "l_hip_pitch_plus is inf"),
        ("out_of_range", command(5, value=10.0 * BODY.tension_max), "allowed"),
        ("out_of_range", command(5, value=with_one(0, 14.9)), "from 15 (pretension)"),
        ("out_of_range", command(5, value=with_one(0, -1.0)), "l_hip_yaw_plus is -1 N"),
        ("future_tick", command(6), "ahead of the plant's tick 5"),
        ("stale_tick", command(3), "after tick 4"),
        ("duplicate", command(4), "tick 4 was answered already"),
        ("unknown_mode", command(5, mode=7), "unknown mode 7; one of 0 (TENSION)"),
    ],
)
def test_a_bad_command_is_refused_with_its_reason_and_changes_nothing(kind, given, says):
    bad, untouched = group(), group()
    for drives in (bad, untouched):
        assert drives.command(command(4), 4) is None
    reason = bad.command(given, 5)
    assert reason is not None
    assert says in reason
    assert bad.gate.refused == Counter({kind: 1})
    assert bad.gate.last_reason == reason
    for _ in range(40):
        np.testing.assert_array_equal(bad.step(STILL, STILL), untouched.step(STILL, STILL))


def test_an_answer_more_than_three_ticks_old_is_stale():
    drives = group()
    assert drives.command(command(0), 3) is None
    drives = group()
    assert "4 ticks old; at most 3" in drives.command(command(0), 4)


def test_limits_themselves_are_accepted():
    drives = group()
    assert drives.command(command(0, value=BODY.pretension.copy()), 0) is None
    assert drives.command(command(1, value=BODY.tension_max.copy()), 1) is None


def run(drives, steps):
    modes = []
    for _ in range(steps):
        drives.step(STILL, STILL)
        modes.append(drives.mode)
    return modes


def test_the_ladder_goes_from_hold_within_20_ms_to_crouch_and_to_limp():
    drives = group(hold_time=0.1, crouch_time=0.5)
    drives.command(command(0), 0)
    modes = run(drives, 700)
    assert modes[2:19] == [DriveMode.TENSION] * 17
    assert modes[19:119] == [DriveMode.HOLD] * 100
    assert modes[119:619] == [DriveMode.CROUCH] * 500
    assert modes[619:] == [DriveMode.LIMP] * 81


def test_refused_commands_do_not_feed_the_watchdog():
    drives = group()
    drives.command(command(0), 0)
    for tick in range(1, 11):
        assert drives.command(command(tick, value=np.full(N, np.nan)), tick) is not None
        run(drives, 2)
    assert drives.mode == DriveMode.HOLD


def test_fresh_commands_of_every_mode_are_obeyed_and_feed_the_watchdog():
    for mode in (DriveMode.HOLD, DriveMode.CROUCH, DriveMode.LIMP, DriveMode.TENSION):
        drives = group(hold_time=0.0, crouch_time=0.5)
        for tick in range(600):
            assert drives.command(command(tick, mode, np.empty(0) if mode else None), tick) is None
            modes = run(drives, 2)
        assert modes == [mode, mode]


def test_hands_stay_in_hold():
    params = parameters.load(PARAMETERS, hold_time=0.0, crouch_time=0.5)
    hand = DriveGroup(HAND, DriveSettings.of(params, "hand"))
    still = np.zeros(len(HAND.tendons))
    for _ in range(2000):
        hand.step(still, still)
    assert hand.mode == DriveMode.HOLD


def test_a_latched_runstop_holds_while_a_controller_lives_and_release_needs_a_fresh_command():
    drives = group(hold_time=0.01, crouch_time=0.5)
    drives.command(command(0), 0)
    run(drives, 4)
    drives.latch(True)
    assert drives.mode == DriveMode.HOLD
    for tick in range(2, 300):
        drives.command(command(tick), tick)
        assert run(drives, 2) == [DriveMode.HOLD] * 2
    drives.latch(False)
    assert run(drives, 2) == [DriveMode.HOLD] * 2
    drives.command(command(301), 301)
    assert run(drives, 4)[-1] == DriveMode.TENSION


def test_a_latched_runstop_without_a_controller_goes_down_the_ladder():
    drives = group(hold_time=0.1, crouch_time=0.5)
    drives.command(command(0), 0)
    drives.latch(True)
    modes = run(drives, 700)
    assert modes[0] == DriveMode.HOLD
    assert modes[200] == DriveMode.CROUCH
    assert modes[-1] == DriveMode.LIMP


def test_tension_follows_a_step_after_the_delay_with_the_first_order_lag():
    drives = group(delay=0.003, body_lag=0.01, friction=0.0, body_slew=1e6)
    drives.command(command(0), 0)
    run(drives, 4)
    start = drives.tension.copy()
    assert drives.command(command(1, value=tension(4.0)), 1) is None
    wanted = tension(4.0) - tension(2.0)
    run(drives, 3)
    still_settling = np.abs(drives.tension - start).max()
    assert still_settling < 0.35 * np.abs(start - tension(2.0)).max() + 1e-9
    before = drives.tension.copy()
    run(drives, 10)
    share = (drives.tension - before) / (tension(4.0) - before)
    np.testing.assert_allclose(share, 1.0 - np.exp(-1.0), rtol=1e-9)
    assert (wanted > 0).all()


def test_a_lagging_drive_feels_the_joint_and_friction_resists_both_ways():
    drives = group(body_series_stiffness=20000.0, friction=0.05, body_friction_speed=0.01)
    drives.command(command(0), 0)
    for _ in range(5):
        drives.step(STILL, STILL)
    before = drives.tension.copy()
    pulled_out = np.full(N, 0.1)
    on_joint = drives.step(STILL, pulled_out)
    assert (drives.tension > before + 1.0).all()
    np.testing.assert_allclose(on_joint, drives.tension * (1 + 0.05 * np.tanh(10.0)), rtol=1e-12)
    on_joint = drives.step(STILL, -pulled_out)
    np.testing.assert_allclose(on_joint, drives.tension * (1 - 0.05 * np.tanh(10.0)), rtol=1e-12)


def test_tension_never_leaves_zero_to_limit_and_obeys_the_slew_limit():
    drives = group(body_slew=5000.0, friction=0.0, body_series_stiffness=0.0)
    drives.command(command(0, value=BODY.tension_max.copy()), 0)
    run(drives, 2)
    before = drives.tension.copy()
    run(drives, 1)
    assert np.max(drives.tension - before) == pytest.approx(5.0)
    rng = np.random.default_rng(1)
    drives = group()
    for _ in range(200):
        drives.step(rng.normal(0, 0.05, N), rng.normal(0, 2.0, N))
        assert (drives.tension >= 0).all()
        assert (drives.tension <= BODY.tension_max).all()


def test_hold_answers_a_stretched_tendon_with_more_tension_and_no_net_torque_at_rest():
    drives = group()
    rest = BODY.moment_arms @ np.stack([drives.step(STILL, STILL) for _ in range(300)])[-1]
    np.testing.assert_allclose(rest, 0.0, atol=1e-9)
    q = np.zeros(len(BODY.joints))
    q[BODY.index("l_ankle_pitch")] = 0.01
    stretched = -BODY.moment_arms.T @ q
    for _ in range(50):
        f = drives.step(stretched, STILL)
    torque = BODY.moment_arms @ f
    assert torque[BODY.index("l_ankle_pitch")] == pytest.approx(-0.01 * 60.0 / 0.1, rel=1e-3)
    torque[BODY.index("l_ankle_pitch")] = 0.0
    np.testing.assert_allclose(torque, 0.0, atol=1e-9)


def test_crouch_moves_the_lengths_to_the_crouch_posture():
    drives = group(hold_time=0.0, crouch_time=1.0)
    crouched = -BODY.moment_arms.T @ np.full(len(BODY.joints), 0.2)
    for _ in range(998):
        drives.step(crouched, STILL)
    f = drives.step(crouched, STILL)
    assert drives.mode == DriveMode.CROUCH
    np.testing.assert_allclose(f, tension(5.0), rtol=1e-3)  # twice pretension, and hold's co-contraction


def test_limp_fades_to_pretension():
    drives = group(hold_time=0.0, crouch_time=0.5, limp_time=0.2)
    run(drives, 1000)
    assert drives.mode == DriveMode.LIMP
    np.testing.assert_allclose(drives.tension, BODY.pretension, rtol=1e-6)
