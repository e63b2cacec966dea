"""Pad forces as arrows: direction, length, dead pads."""

import numpy as np

from neo_description.signals import HandState
from neo_description.tables import TAXELS
from neo_sensors import tactile


def test_a_push_on_a_pad_points_into_the_flesh_and_shear_along_the_pad():
    state = HandState()
    state.taxel_force[3] = (4.0, 1.0, -2.0)
    tips = tactile.arrows(state, 0.01)
    np.testing.assert_allclose(tips[3], (-0.04, 0.01, -0.02))
    assert np.count_nonzero(tips) == 3


def test_a_dead_pad_is_named_and_shows_nothing():
    state = HandState()
    state.taxel_force[:] = 1.0
    state.taxel_valid[TAXELS.index("thumb_distal")] = False
    assert tactile.dead(state) == ("thumb_distal",)
    assert not tactile.arrows(state, 0.01)[TAXELS.index("thumb_distal")].any()


def test_pads_have_the_frames_of_their_side_and_colours_run_from_green_to_red():
    assert tactile.pad_frames("r")[0] == "r_thumb_metacarpal_pad"
    assert len(tactile.pad_frames("l")) == len(TAXELS)
    assert tactile.color(0.0)[1] > tactile.color(0.0)[0]
    assert tactile.color(50.0)[0] == 1.0
