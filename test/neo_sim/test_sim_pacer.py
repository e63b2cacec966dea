"""Plant time against wall time."""

import pytest

from neo_sim.pacer import MOST_BEHIND, Pacer


def test_without_a_limit_every_tick_is_due():
    pacer = Pacer(0.0)
    for tick in range(1, 4):
        assert pacer.due(0.0)
        pacer.stepped(tick, 0.0)
    assert pacer.slips == 0


def test_ticks_come_at_the_speed_asked_for_and_small_delays_are_caught_up_with():
    pacer = Pacer(0.5)
    assert pacer.due(10.0)
    pacer.stepped(1, 10.0)
    assert not pacer.due(10.003)
    assert pacer.due(10.004)
    pacer.stepped(2, 10.010)  # late: the next two are due at once
    assert pacer.due(10.010)
    pacer.stepped(3, 10.010)
    assert not pacer.due(10.010)
    assert pacer.due(10.012)
    assert pacer.slips == 0


def test_a_long_delay_is_given_up_and_counted():
    pacer = Pacer(1.0)
    assert pacer.due(0.0)
    pacer.stepped(1, 0.0)
    pacer.stepped(2, 1.0 + MOST_BEHIND)
    assert pacer.slips == 1
    assert pacer.due(1.0 + MOST_BEHIND)
    pacer.stepped(3, 1.0 + MOST_BEHIND)
    assert not pacer.due(1.0 + MOST_BEHIND)


def test_the_real_time_factor_is_taken_over_a_second():
    pacer = Pacer(0.0)
    for tick in range(1, 252):
        pacer.stepped(tick, tick * 0.004)
    assert pacer.real_time_factor == pytest.approx(0.5)
