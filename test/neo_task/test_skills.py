"""Skills on a world that moves as told: what is sent, in which order, and how failures end."""

from __future__ import annotations

import numpy as np
import pytest
from tabletop import PICK, TABLE, World, place_of, pose

from neo_description.signals import GraspPhase, GraspStatus, HandAction, Safety
from neo_task.planner import COMMAND_VALID_FOR
from neo_task.prompt import Query, Task
from neo_task.scripted import load_parameters, scripted


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


def test_a_hand_that_cannot_get_behind_what_it_takes_goes_on_from_where_it_comes():
    class Short(World):
        """Its right hand comes no farther to the right than ``end``; behind the bottle is at -0.34 m."""

        end = -0.29

        def apply(self, step):
            super().apply(step)
            self.T["r"] = self.T["r"].copy()
            self.T["r"][1, 3] = max(self.T["r"][1, 3], self.end)

    bottle = [("red", "bottle", (0.45, -0.18, 0.89))]
    assert Short(bottle).run(PICK).success
    Short.end = -0.26
    outcome = Short(bottle).run(PICK)
    assert outcome.reason == "unreachable"
    assert outcome.message == "not done: the right hand stays 8 cm short of its target"
