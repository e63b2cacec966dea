"""What the task room hears: joints that are not the robot's, or no numbers, change nothing."""

import math

import pytest

from neo_description.errors import RefusedError
from neo_description.tables import JOINTS
from neo_task.watch import Watch


@pytest.mark.parametrize(
    ("names", "positions", "says"),
    [
        (["elbow"], [0.0], "is not among them"),
        (JOINTS, [0.0], "1 positions for 75 joints"),
        (JOINTS, [math.nan] * len(JOINTS), "finite"),
    ],
)
def test_bad_joints_are_refused_and_the_last_good_ones_stay(names, positions, says):
    watch = Watch()
    with pytest.raises(RefusedError, match=says):
        watch.on_joints(1.0, names, positions)
    assert watch.observation() == "no joint states"
    watch.on_joints(1.0, JOINTS, [0.0] * len(JOINTS))
    assert watch.observation() == "nothing heard of odom"
