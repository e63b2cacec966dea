"""What is refused, in which words, and that nothing changes then."""

import copy
import re

import numpy as np
import pytest
from body_rig import Rig, side_grasp

from neo_description.signals import DriveMode, Safety, WholeBodyCommand

GOOD = side_grasp("l", [0.45, 0.2, 0.95])


def spoilt(row, column, value):
    T = GOOD.copy()
    T[row, column] = value
    return T


BAD = {
    "nan in a pose": (dict(T_l_hand=spoilt(0, 3, np.nan)), "not finite"),
    "infinite pose": (dict(T_r_hand=spoilt(1, 1, np.inf)), "not finite"),
    "no rotation": (dict(T_l_hand=spoilt(0, 0, 2.0)), "rotation"),
    "mirrored": (dict(T_l_hand=GOOD @ np.diag([1, 1, -1, 1])), "rotation"),
    "wrong shape": (dict(T_l_hand=np.eye(3)), r"\(4, 4\)"),
    "last row": (dict(T_l_hand=spoilt(3, 0, 1.0)), "last row"),
    "unknown frame": (dict(frame="map", gaze=np.ones(3)), "unknown frame 'map'; one of odom, base_link"),
    "far away": (dict(T_l_hand=spoilt(0, 3, 5.0)), "at most 1 m"),
    "limit times ten": (dict(T_l_hand=GOOD, hand_speed=15.0), "hand_speed is 15"),
    "negative speed": (dict(T_l_hand=GOOD, hand_speed=-0.1), "hand_speed"),
    "nan speed": (dict(T_l_hand=GOOD, hand_speed=np.nan), "finite"),
    "never valid": (dict(T_l_hand=GOOD, valid_for=0.0), "valid_for"),
    "valid for an hour": (dict(T_l_hand=GOOD, valid_for=3600.0), "at most 60"),
    "nan validity": (dict(T_l_hand=GOOD, valid_for=np.nan), "finite"),
    "walk": (dict(base_velocity=np.array([0.1, 0.0, 0.0])), "does not walk"),
    "nan walk": (dict(base_velocity=np.array([np.nan, 0.0, 0.0])), "not finite"),
    "too low": (dict(base_height=0.1), "base_height is 0.1 m; 0.49 to 0.86"),
    "nan height": (dict(base_height=np.nan), "finite"),
    "gaze of two": (dict(gaze=np.zeros(2)), r"\(3,\) needed"),
    "nan gaze": (dict(gaze=np.array([np.nan, 0, 0])), "not finite"),
    "gaze at the moon": (dict(gaze=np.array([4e8, 0, 0])), "at most 20 m"),
    "unknown hand": (dict(release=("x",)), "one of l, r"),
    "target and release": (dict(T_l_hand=GOOD, release=("l",)), "released at once"),
}


@pytest.fixture(scope="module")
def rig():
    return Rig().stand()


def picture(body):
    """Everything a command may change."""
    targets = body.targets
    return copy.deepcopy(
        (targets.busy, targets.gazing, targets.gaze.target, targets.base.target, len(body.queue),
         [targets.hands[s].target for s in "lr"], [targets.hands[s].point.speed for s in "lr"])
    )  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_commands_are_refused_with_a_reason_and_change_nothing(rig, name):
    parts, words = BAD[name]
    parts = {"valid_for": 1.0} | parts
    before, count = picture(rig.body), rig.body.queue.refusals
    reason = rig.body.command(WholeBodyCommand(**parts))
    assert reason is not None
    assert re.search(words, reason), reason
    assert rig.body.queue.refusals == count + 1
    assert rig.body.queue.last_refusal == reason
    np.testing.assert_equal(picture(rig.body), before)


@pytest.mark.parametrize(("shift", "words"), [(1.5, "ahead"), (-1.5, "back"), (-0.6, "expired")])
def test_commands_from_another_time_are_refused(rig, shift, words):
    reason = rig.body.command(
        WholeBodyCommand(valid_for=0.5, start=rig.body.estimate.time + shift, T_l_hand=GOOD)
    )
    assert words in reason


def test_a_stopped_robot_refuses_commands_and_says_what_to_do():
    rig = Rig()
    rig.run(0.05)
    assert "set_mode stand" in rig.body.command(WholeBodyCommand(valid_for=1.0, T_l_hand=GOOD))
    assert rig.body.set_mode("dance") == "unknown mode 'dance'; stand or stop"


def test_base_link_poses_are_converted_once_on_arrival(rig):
    T_odom_base = rig.body.estimate.T_odom_base
    rig.order(T_l_hand=np.linalg.inv(T_odom_base) @ GOOD, frame="base_link")
    rig.tick()
    np.testing.assert_allclose(rig.body.targets.hands["l"].target, GOOD, atol=1e-9)


def test_the_same_tick_twice_gets_the_same_answer_and_moves_nothing_on(rig):
    state = rig.plant.body_state()
    first = rig.body.update(state)
    tick, reference = rig.body.tick, rig.body.targets.base.point.p.copy()
    gyro = state.pelvis_angular_velocity.copy()
    state.pelvis_angular_velocity[:] = 5.0  # a retransmission is not looked at again
    second = rig.body.update(state)
    state.pelvis_angular_velocity[:] = gyro
    assert second is first
    assert rig.body.tick == tick
    np.testing.assert_array_equal(rig.body.targets.base.point.p, reference)


def test_equal_states_give_equal_answers_bit_for_bit():
    """A replayed bag gives the same commands."""
    rig, twin = Rig(), Rig()
    rig.run(0.02)
    twin.run(0.02)
    for r in (rig, twin):
        assert r.body.set_mode("stand") is None
    for _ in range(300):
        state = rig.plant.body_state()
        a, b = rig.body.update(state), twin.body.update(state)
        np.testing.assert_array_equal(a.tension, b.tension)
        rig.plant.command_body(a)
        rig.plant.step()
    assert a.mode == DriveMode.TENSION


def test_runstop_stops_and_standing_up_is_refused_until_it_is_released():
    rig = Rig().stand()
    rig.plant.runstop(True)
    rig.run(0.01)
    assert (rig.state, rig.body.safety.reason) == (Safety.STOP, "runstop")
    assert "runstop is latched" in rig.body.set_mode("stand")
    assert rig.body.update(rig.plant.body_state()).mode == DriveMode.HOLD
    rig.run(1.0)
    rig.plant.runstop(False)
    rig.run(0.1)
    assert rig.state == Safety.STOP
    rig.stand()
    assert not rig.plant.privileged.fallen


def test_a_gap_in_the_states_stops_the_robot():
    rig = Rig().stand()
    for _ in range(20):
        rig.plant.step()
    rig.tick()
    assert rig.state == Safety.STOP
    assert "stale states" in rig.body.safety.reason


def test_drives_that_hold_on_their_own_account_stop_the_robot():
    rig = Rig().stand()
    state = rig.plant.body_state()
    state.drive_mode = DriveMode.HOLD
    assert rig.body.update(state).mode == DriveMode.HOLD
    assert "HOLD on their own account" in rig.body.safety.reason


def test_a_qp_without_an_answer_keeps_the_last_tension_once_then_holds(rig, monkeypatch):
    rig = Rig().stand()
    last = rig.body.update(rig.plant.body_state())
    monkeypatch.setattr(rig.body.qp.solver, "_daqp", lambda *_: None)
    monkeypatch.setattr(rig.body.qp.solver, "_proxqp", lambda *_: None)
    rig.plant.step()
    again = rig.body.update(rig.plant.body_state())
    assert again.mode == DriveMode.TENSION
    np.testing.assert_array_equal(again.tension, last.tension)
    rig.plant.step()
    assert rig.body.update(rig.plant.body_state()).mode == DriveMode.HOLD
    assert rig.state == Safety.STOP


def test_proxqp_stands_in_for_daqp(monkeypatch):
    rig = Rig().stand()
    state = rig.plant.body_state()
    monkeypatch.setattr(rig.body.qp.solver, "_daqp", lambda *_: None)
    rig.run(0.1)
    assert rig.state == Safety.ACTIVE
    assert rig.body.qp.solver.failures == {"daqp": 50, "proxqp": 0}
    assert state.tick < rig.body.tick
