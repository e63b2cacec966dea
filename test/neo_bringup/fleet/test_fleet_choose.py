"""Which episodes leave a robot."""

from pathlib import Path

import pytest

from neo_bringup.fleet.choose import Recorded, chosen, oddness
from neo_flywheel.mining import FAILED


def recorded(name, steps=10, alone=True, surprise=None):
    return Recorded(name, Path(name), steps, 0 if alone else 5, True, alone, surprise, 1000)


NEW = [recorded(f"r001-{i:02d}", steps, alone=i % 3 > 0) for i, steps in enumerate((10, 30, 20, 10, 20, 10))]


def names(picked):
    return [one.name for one in picked]


def test_all_leave_in_their_order_whatever_the_share():
    assert chosen("all", 0.1, NEW, oddness(NEW), (0,)) == NEW


def test_what_went_wrong_leaves_first_and_no_more_than_the_share():
    picked = chosen("mined", 0.4, NEW, oddness(NEW), (0,))
    assert names(picked)[:2] == ["r001-00", "r001-03"]
    assert sum(one.steps for one in picked) <= 40


def test_chance_takes_the_same_volume_and_another_seed_others():
    drawn = [chosen("random", 0.5, NEW, oddness(NEW), (seed,)) for seed in range(8)]
    assert all(sum(one.steps for one in picked) <= 50 for picked in drawn)
    assert all(sum(one.steps for one in picked) >= 30 for picked in drawn)
    assert len({tuple(names(picked)) for picked in drawn}) > 1
    assert chosen("random", 0.5, NEW, oddness(NEW), (3,)) == drawn[3]


@pytest.mark.parametrize("how", ["mined", "random"])
def test_one_leaves_even_where_each_is_more_than_the_share(how):
    assert len(chosen(how, 0.01, NEW, oddness(NEW), (0,))) == 1


def test_a_surprise_counts_and_a_takeover_more_than_a_usual_one():
    score = oddness(NEW)
    assert score(recorded("a", surprise=0.99)) > score(recorded("b", surprise=0.5))
    assert score(recorded("c", alone=False)) == FAILED > score(recorded("b", surprise=0.5))
