"""Skills on a world that moves as told: what is sent, in which order, and how failures end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neo_description.signals import (
    BodyEstimate,
    DetectedObject,
    GraspPhase,
    GraspStatus,
    HandAction,
    Safety,
    Scene,
)
from neo_task.grasp_pose import plan_grasp, takes
from neo_task.placing import set_down
from neo_task.planner import COMMAND_VALID_FOR, Observation
from neo_task.prompt import Query, Task
from neo_task.scripted import load_parameters, scripted

DT = 0.02
SIZE = np.array([0.066, 0.066, 0.22])
LANDMARKS = {"tray": np.array([0.26, 0.20, 0.016]), "basket": np.array([0.22, 0.18, 0.07])}


def pose(x, y, z):
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


class World:
    """Grippers go where they are sent at once; a hand that closes near an object holds it."""

    def __init__(self, objects, slippery=False, stuck=False, safety=Safety.ACTIVE):
        self.time = 0.0
        self.T = {"l": pose(0.25, 0.2, 0.95), "r": pose(0.25, -0.2, 0.95)}
        self.hands = {side: GraspStatus() for side in ("l", "r")}
        self.objects = [
            DetectedObject(
                i, name, color, pose(*at), np.eye(6) * 1e-6, LANDMARKS.get(name, SIZE), 0.9, 1.0, 0.0
            )
            for i, (color, name, at) in enumerate(objects)
        ]
        self.slippery = slippery
        self.stuck = stuck
        self.safety = safety
        self.sent = []
        self.expires = {}

    def observation(self):
        estimate = BodyEstimate(
            0, self.time, np.eye(4), np.zeros(6), self.T["l"], self.T["r"], np.eye(4), self.safety, ""
        )
        return Observation(
            self.time,
            estimate,
            dict(self.hands),
            Scene(self.time, [replace(o, last_seen=self.time) for o in self.objects]),
        )

    def apply(self, step):
        for side, command in step.hands:
            self.sent.append((side, command.action.name))
            self.hands[side] = GraspStatus(phase=self._phase(side, command), normal_force=7.0)
        for command in step.body:
            for side, T in (("l", command.T_l_hand), ("r", command.T_r_hand)):
                if T is not None:
                    self.expires[side] = self.time + command.valid_for
                    if not np.array_equal(T, self.T[side]):  # not only said again
                        self.sent.append((side, "move"))
                    rise = T[2, 3] - self.T[side][2, 3]
                    self._carry(side, T)
                    self.T[side] = T
                    if self.slippery and rise > 0.1:
                        self.hands[side] = GraspStatus(phase=GraspPhase.LOST)
        self.time += DT

    def _carry(self, side, T):
        """What a hand holds moves with it, unless it is stuck to the table."""
        for o in self.objects:
            near = np.hypot(*(o.T_base_object[:2, 3] - self.T[side][:2, 3])) < 0.03
            if near and not self.stuck and self.hands[side].phase is GraspPhase.HOLDING:
                o.T_base_object[:3, 3] += T[:3, 3] - self.T[side][:3, 3]

    def _phase(self, side, command):
        if command.action is HandAction.CLOSE:
            near = any(np.hypot(*(o.T_base_object[:2, 3] - self.T[side][:2, 3])) < 0.03 for o in self.objects)
            return GraspPhase.HOLDING if near else GraspPhase.LOST
        return GraspPhase.PRESHAPED if command.action is HandAction.PRESHAPE else GraspPhase.IDLE

    def run(self, task, seconds=120.0, **params):
        planner = scripted(task, load_parameters(**params))
        while self.time < seconds:
            step = planner.step(self.observation())
            self.apply(step)
            if step.outcome is not None:
                return step.outcome
        raise AssertionError("the planner did not end")


TABLE = [("red", "bottle", (0.45, -0.15, 0.89)), ("green", "cup", (0.45, 0.20, 0.85))]
PICK = Task("pick", Query("red", "bottle"))


def test_picks_with_the_hand_on_the_objects_side_and_preshapes_before_it_comes_near():
    world = World(TABLE)
    outcome = world.run(PICK)
    assert outcome.success
    assert outcome.reason == "done"
    assert "red bottle" in outcome.message
    assert outcome.held >= 3.0
    assert outcome.lifted == pytest.approx(0.16, abs=0.01)
    assert outcome.peak_force == pytest.approx(7.0)
    actions = [what for side, what in world.sent if side == "r"]
    assert actions[0] == "PRESHAPE"
    assert actions.index("CLOSE") > actions.index("move")
    assert not [what for side, what in world.sent if side == "l"]


def test_what_was_taken_from_the_floor_is_brought_up_so_that_the_body_stands():
    world = World([("red", "bottle", (0.45, -0.15, 0.107))])
    outcome = world.run(PICK)
    assert outcome.success
    assert world.T["r"][2, 3] == pytest.approx(load_parameters().rise_height)
    assert world.T["r"][0, 3] == pytest.approx(0.38)  # near the body
    assert outcome.lifted == pytest.approx(world.T["r"][2, 3] - 0.09, abs=0.02)


def test_a_hand_is_told_where_to_be_as_long_as_the_task_lasts_and_no_longer():
    class Lasting(World):
        def apply(self, step):
            assert all(self.time < until for until in self.expires.values())
            super().apply(step)

    world = Lasting(TABLE)
    assert world.run(PICK).success
    assert world.expires["r"] <= world.time + COMMAND_VALID_FOR


def test_an_object_that_is_not_there_is_named_with_what_is_seen():
    outcome = World(TABLE).run(Task("pick", Query("blue", "bottle")))
    assert not outcome.success
    assert outcome.reason == "not_found"
    assert "no blue bottle in sight; I see green cup, red bottle" in outcome.message


def test_nothing_is_sent_before_the_object_is_seen_but_gaze():
    world = World([])
    world.run(PICK)
    assert world.sent == []


def test_a_slip_is_tried_again_then_reported():
    world = World(TABLE, slippery=True)
    outcome = world.run(PICK, attempts=2)
    assert outcome.reason == "lost"
    assert [what for _, what in world.sent].count("CLOSE") == 2


def test_a_stopped_robot_ends_the_task():
    outcome = World(TABLE, safety=Safety.STOP).run(PICK)
    assert outcome.reason == "stopped"


def test_too_far_is_refused_with_the_distance():
    outcome = World([("red", "bottle", (0.95, 0.0, 0.89))]).run(PICK, attempts=1)
    assert outcome.reason == "unreachable"
    assert "0.95 m away" in outcome.message


def test_time_out_names_the_phase():
    outcome = World([]).run(PICK, timeout=1.0)
    assert outcome.reason == "timeout"
    assert "look took longer than 1 s" in outcome.message


def test_places_beside_and_lets_go():
    world = World(TABLE)
    outcome = world.run(Task("place", Query("red", "bottle"), "right_of", Query("green", "cup")))
    assert outcome.success, outcome.message
    assert world.sent[-2:] == [("r", "OPEN"), ("r", "move")]
    assert world.T["r"][1, 3] < 0.2


def test_an_object_that_was_knocked_away_is_looked_for_again():
    world = World(TABLE)
    planner = scripted(PICK, load_parameters(attempts=2))
    outcome, moved = None, False
    while outcome is None:
        step = planner.step(world.observation())
        world.apply(step)
        if step.phase == "approach" and not moved:
            moved = True
            world.objects[0].T_base_object[0, 3] += 0.08
        outcome = step.outcome
    assert outcome.success
    assert [what for _, what in world.sent].count("PRESHAPE") == 2


def test_a_hand_that_comes_up_empty_is_not_a_success():
    world = World(TABLE, stuck=True)
    planner = scripted(PICK, load_parameters(attempts=1))
    outcome = None
    while outcome is None:  # this hand says that it holds, but the bottle is seen where it stood
        step = planner.step(world.observation())
        world.apply(step)
        outcome = step.outcome
    assert outcome.reason == "lost"
    assert "came up without the red bottle" in outcome.message


def test_a_hand_that_pushes_comes_down_where_there_is_room_for_it():
    class Watched(World):
        def apply(self, step):
            super().apply(step)
            if self.T["r"][2, 3] < 0.95 and self.T["r"][0, 3] > 0.38:
                self.lowest.append(self.T["r"][1, 3])

    nearest = {}
    for name, more in (("free", []), ("taken", [("blue", "can", (0.45, -0.15, 0.85))])):
        world = Watched([("green", "cup", (0.45, 0.05, 0.85)), *more])
        world.lowest = []
        assert world.run(Task("push", Query("green", "cup"), "left")).reason in ("done", "lost")
        nearest[name] = min(world.lowest)
    assert nearest["free"] < 0.05 - 0.033 - 0.08
    assert nearest["taken"] > nearest["free"] + 0.02


def test_pushes_with_the_palm_from_the_far_side_and_says_how_far():
    world = World(TABLE)
    outcome = world.run(Task("push", Query("red", "bottle")))
    assert not outcome.success  # the world of this test lets nothing be pushed
    assert outcome.reason == "lost"
    assert "moved 0 cm; 10 were wanted" in outcome.message
    assert {side for side, _ in world.sent} == {"r"}


def test_what_is_pushed_to_the_right_is_pushed_by_the_left_hand():
    world = World(TABLE)
    world.run(Task("push", Query("red", "bottle"), "right"))
    assert {side for side, _ in world.sent} == {"l"}


def test_gives_when_somebody_takes_it():
    class Person(World):
        given = np.inf

        def apply(self, step):
            super().apply(step)
            if self.given == np.inf and ("r", "GIVE") in self.sent:
                self.given = self.time
                self.hands["r"] = GraspStatus(phase=GraspPhase.HOLDING)
            if self.given < self.time - 1.0:
                self.hands["r"] = GraspStatus(phase=GraspPhase.RELEASING)

    world = Person(TABLE)
    outcome = world.run(Task("give", Query("red", "bottle")))
    assert outcome.success
    assert "handed over" in outcome.message
    actions = [what for side, what in world.sent if side == "r" and what != "move"]
    assert actions == ["PRESHAPE", "CLOSE", "GIVE", "OPEN"]


def test_what_nobody_takes_is_kept():
    class Alone(World):
        def _phase(self, side, command):
            if command.action is HandAction.GIVE:
                return GraspPhase.HOLDING
            return super()._phase(side, command)

    world = Alone(TABLE)
    outcome = world.run(Task("give", Query("red", "bottle")), give_timeout=2.0)
    assert outcome.reason == "not_taken"
    assert "OPEN" not in [what for _, what in world.sent]


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


def place_of(world, name):
    return next(o.T_base_object[:3, 3] for o in world.objects if o.class_name == name)


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


def test_looking_is_done_when_the_head_has_turned_there():
    class Turning(World):
        def observation(self):
            seen = super().observation()
            way = place_of(self, "bottle") - [0.0, 0.0, 1.3] if self.time > 1.0 else np.array([1.0, 0.0, 0.0])
            seen.estimate.T_odom_head_camera = pose(0.0, 0.0, 1.3)
            seen.estimate.T_odom_head_camera[:3, 2] = way / np.linalg.norm(way)
            return seen

    world = Turning(TABLE)
    assert world.run(Task("look", Query("red", "bottle"))).success
    assert 1.0 < world.time < 1.1
