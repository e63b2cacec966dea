"""An empty hand goes over what stands in its way."""

import numpy as np
from tabletop import SIZE, TABLE, World, pose

from neo_task.detour import rises
from neo_task.grasp_pose import Obstacle, above
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


def test_on_its_way_to_take_a_thing_it_goes_over_what_stands_before_it():
    class Highest(World):
        """Of the right hand while it is empty."""

        highest = 0.0

        def apply(self, step):
            super().apply(step)
            if ("r", "CLOSE") not in self.sent:
                self.highest = max(self.highest, self.T["r"][2, 3])

    bottle, can = ("red", "bottle", (0.55, -0.25, 0.89)), ("blue", "can", (0.32, -0.27, 0.89))
    free, between = Highest([bottle]), Highest([bottle, can])
    for world in (free, between):
        world.T["r"] = pose(0.20, -0.2, 0.88)
        assert world.run(Task("pick", Query("red", "bottle"))).success
    assert free.highest < 0.95
    assert between.highest > 0.89 + SIZE[2] / 2 + 0.05


def test_a_hand_draws_back_or_goes_up_where_something_stands_behind_it():
    T = pose(0.45, -0.2, 0.88)
    T_back = pose(0.37, -0.2, 0.88)
    behind, ahead = (Obstacle(np.array([x, -0.2, 0.84]), 0.033, 0.12) for x in (0.30, 0.55))
    assert rises(T, T_back, [ahead], 0.05) is None, "it only leaves it"
    assert rises(T, T_back, [behind], 0.05) > 0.90 + 0.05 - 0.88
    assert rises(above(T, 0.3), T_back, [behind], 0.05) == 0.0, "it is as high, and passes over"
