"""An empty hand goes home over what stands in between."""

import numpy as np
from tabletop import TABLE, World, pose

from neo_task.prompt import Query, Task

CUP = Task("place", Query("green", "cup"), "right_of", Query("red", "bottle"))


class Followed(World):
    """Where a hand is after it let go, in order."""

    def __init__(self, objects):
        super().__init__(objects)
        self.home = self.T["l"].copy()
        self.way = []

    def apply(self, step):
        super().apply(step)
        if ("l", "OPEN") in self.sent:
            self.way.append(self.T["l"][:3, 3].copy())

    def put(self):
        self.T["l"] = pose(0.25, 0.2, 0.88)
        self.home = self.T["l"].copy()
        self.objects[1].T_base_object[:3, 3] = 0.50, 0.15, 0.85  # the left hand takes it
        assert self.run(CUP).success
        return np.array(self.way)


def test_a_hand_that_crossed_over_goes_back_over_what_it_would_knock_down():
    way = Followed([("red", "bottle", (0.40, -0.15, 0.89)), *TABLE[1:]]).put()
    over = way[np.hypot(*(way[:, :2] - [0.25, 0.2]).T) < 0.01]
    assert len(over), "above where it began"
    assert over[:, 2].min() > 0.89 + 0.11, "higher than the bottle"


def test_a_hand_with_nothing_in_its_way_is_released_where_it_is():
    way = Followed([("red", "bottle", (0.55, 0.30, 0.89)), *TABLE[1:]]).put()
    assert np.hypot(*(way[:, :2] - [0.25, 0.2]).T).min() > 0.05
