"""Where things are put, on a table that moves as told: beside, on, in, over what stands in between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tabletop import SIZE, TABLE, World, place_of, pose

from neo_task.grasp_pose import plan_grasp, takes
from neo_task.placing import set_down
from neo_task.prompt import Query, Task


def test_places_beside_and_lets_go():
    world = World(TABLE)
    outcome = world.run(Task("place", Query("red", "bottle"), "right_of", Query("green", "cup")))
    assert outcome.success, outcome.message
    assert world.sent[-2:] == [("r", "OPEN"), ("r", "move")]
    assert world.T["r"][1, 3] < 0.2


def test_several_things_are_put_beside_another_each_where_there_is_room():
    world = World([*TABLE, ("yellow", "box", (0.45, 0.0, 0.85))])
    task = Task("place", Query("red", "bottle"), "right_of", Query("yellow", "box"), (Query("green", "cup"),))
    outcome = world.run(task, seconds=240.0)
    assert outcome.message == "the red bottle and the green cup are right of the yellow box"
    box, bottle, cup = (place_of(world, name) for name in ("box", "bottle", "cup"))
    assert max(bottle[1], cup[1]) < box[1] - 0.05
    assert np.hypot(*(cup - bottle)[:2]) > SIZE[0] + 0.05


def test_a_spot_that_is_taken_is_left_to_what_stands_there():
    at = (0.45, 0.0, 0.85)
    task = Task("place", Query("red", "bottle"), "right_of", Query("yellow", "box"))
    free, taken = World([*TABLE, ("yellow", "box", at)]), World([*TABLE, ("yellow", "box", at)])
    taken.objects.append(replace(taken.objects[1], id=9, color="blue", T_base_object=pose(0.45, -0.17, 0.85)))
    for world in (free, taken):
        world.objects[0].T_base_object[:2, 3] = 0.40, -0.30
        assert world.run(task).success
    np.testing.assert_allclose(place_of(free, "bottle")[:2], [0.45, -0.166], atol=0.005)
    spot = place_of(taken, "bottle")
    assert np.hypot(*(spot[:2] - [0.45, -0.17])) > SIZE[0] + 0.05
    assert spot[1] < -0.05


def test_beyond_the_tables_edge_nothing_is_put():
    world = World([("red", "bottle", (0.45, -0.15, 0.89)), ("green", "cup", (0.36, 0.20, 0.85))])
    outcome = world.run(Task("place", Query("red", "bottle"), "in_front_of", Query("green", "cup")))
    assert outcome.reason == "unreachable"
    assert "in front of the green cup is beyond the table's edge" in outcome.message
    assert "CLOSE" not in [what for _, what in world.sent]


def test_what_is_carried_goes_over_what_stands_in_between():
    class Watched(World):
        highest = 0.0

        def _carry(self, side, T):
            super()._carry(side, T)
            self.highest = max(self.highest, place_of(self, "bottle")[2] - SIZE[2] / 2)

    box, can = ("yellow", "box", (0.45, 0.35, 0.89)), ("blue", "can", (0.45, 0.0, 0.89))
    task = Task("place", Query("red", "bottle"), "right_of", Query("yellow", "box"))
    free, between = Watched([TABLE[0], box]), Watched([TABLE[0], box, can])
    assert free.run(task).success
    assert between.run(task).success
    assert free.highest == pytest.approx(0.78 + 0.16, abs=0.01)
    assert between.highest > 0.78 + SIZE[2] + 0.02


def test_a_place_out_of_reach_is_refused_before_anything_is_taken():
    world = World([("red", "bottle", (0.45, -0.15, 0.89)), ("green", "cup", (0.66, -0.30, 0.85))])
    outcome = world.run(Task("place", Query("red", "bottle"), "behind", Query("green", "cup")))
    assert outcome.reason == "unreachable"
    assert "behind the green cup is" in outcome.message
    assert "CLOSE" not in [what for _, what in world.sent]


def test_next_to_is_the_other_side_when_the_own_one_is_out_of_reach():
    world = World([("red", "bottle", (0.45, -0.15, 0.89)), ("green", "cup", (0.40, -0.60, 0.85))])
    assert world.run(Task("place", Query("red", "bottle"), "next_to", Query("green", "cup"))).success
    y = {o.class_name: o.T_base_object[1, 3] for o in world.objects}
    assert y["bottle"] > y["cup"]


WITH_TRAY = [*TABLE, ("blue", "tray", (0.45, 0.0, 0.788))]
WITH_BASKET = [*TABLE, ("blue", "basket", (0.45, 0.0, 0.815))]


def test_on_is_in_the_middle_with_the_foot_on_top():
    world = World(WITH_TRAY)
    outcome = world.run(Task("place", Query("red", "bottle"), "on", Query("", "tray")))
    assert outcome.message == "the red bottle is on the tray"
    np.testing.assert_allclose(place_of(world, "bottle"), [0.45, 0.0, 0.78 + 0.016 + 0.11], atol=0.005)


def test_in_is_below_the_rim_as_deep_as_the_hand_stays_above_it():
    lowest = 2.0

    class Watched(World):
        def _carry(self, side, T):
            nonlocal lowest
            if np.hypot(*(T[:2, 3] - (0.45, 0.0))) < 0.05:
                lowest = min(lowest, T[2, 3])
            super()._carry(side, T)

    world = Watched(WITH_BASKET)
    outcome = world.run(Task("place", Query("red", "bottle"), "in", Query("blue", "basket")))
    assert outcome.success, outcome.message
    np.testing.assert_allclose(place_of(world, "bottle")[:2], [0.45, 0.0], atol=0.005)
    rim = 0.78 + 0.07
    assert 0.78 + 0.01 < place_of(world, "bottle")[2] - 0.11 < rim
    assert lowest >= rim + 0.05 - 1e-6


def test_two_things_share_the_longer_side_of_a_tray():
    world = World(WITH_TRAY)
    world.objects[2].T_base_object[:2, :2] = [[0.0, -1.0], [1.0, 0.0]]  # it lies across
    task = Task("place", Query("red", "bottle"), "on", Query("", "tray"), (Query("green", "cup"),))
    assert world.run(task, seconds=240.0).success
    bottle, cup = place_of(world, "bottle"), place_of(world, "cup")
    np.testing.assert_allclose(bottle[:2], [0.45, -0.065], atol=0.005)
    np.testing.assert_allclose(cup[:2], [0.45, 0.065], atol=0.005)


@pytest.mark.parametrize(("objects", "relation"), [(WITH_TRAY, "on"), (WITH_BASKET, "in")])
def test_what_rolls_off_when_it_is_let_go_of_is_not_a_success(objects, relation):
    class Rolling(World):
        def apply(self, step):
            super().apply(step)
            if self.sent[-2:-1] == [("r", "OPEN")]:
                self.objects[0].T_base_object[:3, 3] = 0.45, -0.20, 0.89

    landmark = objects[-1][1]
    outcome = Rolling(objects).run(Task("place", Query("red", "bottle"), relation, Query("", landmark)))
    assert outcome.reason == "lost"
    assert outcome.message == f"not done: the red bottle is not {relation} the blue {landmark}"


def test_a_tray_is_not_taken_itself():
    outcome = World(WITH_TRAY).run(Task("pick", Query("blue", "tray")))
    assert outcome.reason == "refused"


def test_what_is_set_down_turns_with_the_arm_about_its_own_middle():
    size, start, centre = SIZE, np.array([0.45, -0.165, 0.89]), np.array([0.40, 0.235, 0.90])
    plan = plan_grasp("r", takes()["bottle"], pose(*start), size, pose(0.25, -0.2, 0.95), [], 0.12, 0.05)
    as_taken = set_down(plan, start, centre, turned=False)
    np.testing.assert_allclose(as_taken[:3, :3], plan.T_grasp[:3, :3])
    np.testing.assert_allclose(as_taken[:3, 3] - centre, plan.T_grasp[:3, 3] - start, atol=1e-12)
    turned = set_down(plan, start, centre, turned=True)
    R = turned[:3, :3] @ plan.T_grasp[:3, :3].T
    assert np.arctan2(R[1, 0], R[0, 0]) == pytest.approx(np.pi / 4)  # of the right shoulder, to the left
    held = [T[:3, :3].T @ (centre - T[:3, 3]) for T in (turned, as_taken)]
    np.testing.assert_allclose(*held, atol=1e-12)


@pytest.mark.parametrize(
    ("y", "beside", "side"),
    [(-0.14, [], "r"), (-0.14, [-0.26], "l"), (-0.27, [-0.39], "r")],
    ids=["there is room", "a can stands where the own hand comes from", "it is too far across"],
)
def test_the_other_hand_takes_what_the_own_one_has_no_room_for(y, beside, side):
    cans = [("blue", "can", (0.36, at, 0.89)) for at in beside]
    world = World([("yellow", "box", (0.36, y, 0.89)), ("red", "bottle", (0.44, 0.17, 0.89)), *cans])
    assert world.run(Task("place", Query("yellow", "box"), "left_of", Query("red", "bottle"))).success
    assert {s for s, what in world.sent if what == "CLOSE"} == {side}
