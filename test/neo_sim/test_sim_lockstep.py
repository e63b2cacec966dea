"""Whom the plant waits for: everybody, until somebody is too late, and again once heard."""

from neo_sim.lockstep import Lockstep

GROUPS = ("body", "l_hand", "r_hand")


def started():
    lockstep = Lockstep(GROUPS, timeout=0.5, resend_after=0.02, patience=30.0)
    lockstep.begin(0, 0.0)
    for group in GROUPS:
        lockstep.answered(group, 0)
    lockstep.begin(1, 1.0)
    return lockstep


def test_a_tick_is_complete_when_all_have_answered_it():
    lockstep = started()
    for group in GROUPS:
        assert not lockstep.complete
        lockstep.answered(group, 1)
    assert lockstep.complete


def test_late_future_and_repeated_answers_complete_nothing():
    lockstep = started()
    for tick in (0, 0, 2):
        for group in GROUPS:
            lockstep.answered(group, tick)
    lockstep.answered("body", 1)
    lockstep.answered("body", 1)
    assert not lockstep.complete


def test_a_silent_group_is_given_up_after_the_timeout_and_awaited_again_once_it_answers():
    lockstep = started()
    lockstep.answered("l_hand", 1)
    lockstep.answered("r_hand", 1)
    assert lockstep.give_up(1.49) == ()
    assert lockstep.give_up(1.51) == ("body",)
    assert lockstep.complete
    lockstep.begin(2, 1.6)
    lockstep.answered("l_hand", 2)
    lockstep.answered("r_hand", 2)
    assert lockstep.complete
    lockstep.answered("body", 2)
    lockstep.begin(3, 1.7)
    lockstep.answered("l_hand", 3)
    lockstep.answered("r_hand", 3)
    assert not lockstep.complete
    assert lockstep.absent == set()


def test_a_slightly_late_answer_shows_that_a_group_is_back_an_old_one_does_not():
    lockstep = started()
    assert lockstep.give_up(1.6) == GROUPS
    lockstep.begin(100, 2.0)
    lockstep.answered("body", 89)
    assert lockstep.absent == set(GROUPS)
    lockstep.answered("body", 95)
    assert lockstep.complete
    lockstep.begin(101, 2.1)
    assert not lockstep.complete


def test_before_the_first_step_patience_is_longer():
    lockstep = Lockstep(GROUPS, timeout=0.5, resend_after=0.02, patience=30.0)
    lockstep.begin(0, 0.0)
    assert lockstep.give_up(29.0) == ()
    assert lockstep.give_up(30.0) == GROUPS
    assert lockstep.complete


def test_states_are_sent_again_after_silence_only():
    lockstep = started()
    assert not lockstep.resend(1.01)
    assert lockstep.resend(1.03)
    assert not lockstep.resend(1.04)
    assert lockstep.resend(1.06)
    for group in GROUPS:
        lockstep.answered(group, 1)
    assert not lockstep.resend(9.0)


def answer_all(lockstep, tick):
    lockstep.begin(tick, tick * 0.002)
    for group in GROUPS:
        lockstep.answered(group, tick)
    return lockstep.complete


def test_the_camera_may_be_one_frame_behind_once_it_was_heard():
    lockstep = started()
    assert answer_all(lockstep, 1000)
    lockstep.camera_done(1000)
    assert answer_all(lockstep, 1099)
    assert not answer_all(lockstep, 1100)
    lockstep.camera_done(1050)
    assert lockstep.complete
    assert answer_all(lockstep, 1149)


def test_a_slower_camera_is_waited_for_at_its_own_pace_and_a_dead_one_given_up():
    lockstep = started()
    lockstep.camera_done(1000)
    lockstep.camera_done(1100)
    assert answer_all(lockstep, 1299)
    assert not answer_all(lockstep, 1300)
    assert lockstep.give_up(1300 * 0.002 + 0.6) == ("camera",)
    assert lockstep.complete
    assert answer_all(lockstep, 5000)
