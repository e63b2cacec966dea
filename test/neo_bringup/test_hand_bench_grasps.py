"""Grasps shown on the rig: a jar in three fingertips, a lid by its rim, a ball from above."""

import pytest

from neo_bringup.hand_bench import grasps
from neo_description.errors import NeoError


@pytest.mark.parametrize(("name", "seed"), [("tripod", 1), ("precision_disk", 2), ("precision_sphere", 3)])
def test_a_grasp_is_shown(name, seed):
    row = grasps.measure(name, seed)
    assert row["closed"]
    assert row["success"], row


def test_the_scatter_belongs_to_the_seed():
    first, again, other = (grasps.Showing("tripod", seed).rig.data.qpos.copy() for seed in (4, 4, 6))
    assert (first == again).all()
    assert (first != other).any()


def test_what_is_not_shown_is_refused():
    with pytest.raises(NeoError, match="no demonstration of 'claw'; one of medium_wrap"):
        grasps.Showing("claw", 0)
