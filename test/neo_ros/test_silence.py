"""Silence counts while the listener itself runs."""

import pytest

from neo_ros.silence import STEP, Silence


def looks(silence, *times):
    return [round(silence.look(time), 6) for time in times]


def test_nothing_is_silent_before_its_first_word():
    silence = Silence()
    assert looks(silence, 0.0, 100.0) == [0.0, 0.0]
    assert silence.lasted is None


def test_it_lasts_until_a_word_comes():
    silence = Silence()
    silence.heard()
    assert looks(silence, 1.0, 1.05, 1.10) == [0.0, 0.05, 0.10]
    silence.heard()
    assert looks(silence, 1.15) == [0.05]


def test_a_listener_that_stood_still_for_a_minute_counts_one_step():
    silence = Silence()
    silence.heard()
    assert looks(silence, 0.0, 60.0) == [0.0, pytest.approx(STEP)]
