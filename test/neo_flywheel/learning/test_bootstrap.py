"""Intervals hold the truth as often as they say, also of few pairs."""

import numpy as np
import pytest

from neo_flywheel.learning import bootstrap


def test_the_same_values_give_the_same_interval():
    values = np.random.default_rng(1).standard_normal(12)
    assert bootstrap.interval(values) == bootstrap.interval(values.copy())
    assert bootstrap.interval(np.zeros(6)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("n", [6, 20])
def test_an_interval_of_few_holds_the_truth_as_often_as_it_says(n):
    rng, inside = np.random.default_rng(n), 0
    for _ in range(400):
        _, low, high = bootstrap.interval(2.0 + rng.standard_normal(n))
        inside += low <= 2.0 <= high
    assert 0.91 < inside / 400 < 0.99


@pytest.mark.parametrize("n", [10, 40])
def test_of_tasks_the_difference_holds_the_truth_as_often_as_it_says(n):
    rng, inside = np.random.default_rng(n), 0
    for _ in range(500):
        easy = rng.random(n)
        running, candidate = easy < 0.6, np.where(rng.random(n) < 0.3, rng.random(n) < 0.4, easy < 0.5)
        _, low, high = bootstrap.paired_rate(running, candidate)
        inside += low <= (0.3 * 0.4 + 0.7 * 0.5) - 0.6 <= high
    assert inside / 500 > 0.92


def test_three_tasks_done_alike_exclude_nothing_and_forty_do():
    for n, sure in ((3, False), (40, True)):
        done = np.ones(n, bool)
        _, low, high = bootstrap.paired_rate(done, done)
        assert (low > -0.15) == sure
        assert low < 0.0 < high


def test_a_rate_of_few_is_wide():
    mean, low, high = bootstrap.rate(np.ones(4, bool))
    assert (mean, high) == (1.0, 1.0)
    assert low < 0.6
