"""Forces from outside are told from motion and tendons, without a sensor where they act."""

import numpy as np
import pytest
from body_rig import Rig

from neo_description.signals import Safety


@pytest.fixture(scope="module")
def rig():
    return Rig(seed=3).stand()


@pytest.mark.parametrize("force", [(10.0, 0.0, 0.0), (0.0, -10.0, 0.0)])
def test_a_push_at_the_torso_is_felt_with_its_direction(rig, force):
    rig.run(1.0)
    before = rig.body.externals.torso()[:3]
    rig.plant.push("torso", np.array(force), 0.6)
    rig.run(0.5)
    felt = rig.body.externals.torso()[:3] - before
    assert np.linalg.norm(felt - force) < 5.0
    assert rig.state == Safety.ACTIVE


def test_a_pull_at_a_hand_is_the_hands_and_not_the_torsos(rig):
    rig.run(1.0)
    hand, torso = rig.body.externals.hand("l")[:3], rig.body.externals.torso()[:3]
    rig.plant.push("l_wrist", np.array([0.0, 0.0, -12.0]), 0.6)
    rig.run(0.5)
    assert np.linalg.norm(rig.body.externals.hand("l")[:3] - hand - (0.0, 0.0, -12.0)) < 5.0
    assert np.linalg.norm(rig.body.externals.torso()[:3] - torso) < 5.0
    assert set(rig.body.externals.wrenches()) == {"l_gripper", "r_gripper", "torso"}
