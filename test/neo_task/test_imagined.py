"""The planner that imagines: late plans are dropped, vetoed ones are not carried out, the end is told."""

from types import SimpleNamespace

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.signals import BodyEstimate, GraspPhase, GraspStatus, HandAction, Safety
from neo_task import imagined
from neo_task.imagined import VAIN
from neo_task.planner import Observation
from neo_task.plant_clock import PlantClock
from neo_task.scripted import load_parameters
from neo_world_model import shipped
from neo_world_model.modalities import part, size
from neo_world_model.plan import Plan
from neo_world_model.stepper import Cut

HORIZON = 4


def made_plan(closing=0.0, progress=0.2, vetoed="", moves=1.0):
    action = np.zeros((HORIZON, size("action")), np.float32)
    action[:, part("action", "r_moves")] = moves
    action[:, part("action", "r_gripper")] = [1, 0, 0, 3.3, 0, 0, 0, 3.3, 0]
    action[:, part("action", "r_closing")] = closing
    action[:, part("action", "gaze")] = 1 + np.arange(HORIZON)[:, None]
    towards = action[0].copy()
    towards[part("action", "gaze")] = 10.0
    chances = np.tile([0.9 if vetoed else 0.0, 0.0, 0.0, 0.0], (HORIZON, 1))  # falls, slips, collides, hidden
    return Plan(action, np.zeros((HORIZON, 8)), np.full(HORIZON, progress), towards, 0.0, chances, vetoed, 2)


class Actor:
    """Stands where the model does: plans come from a list, the last again and again."""

    ready = True
    plans: list[Plan]

    def __init__(self, *_args, **_options):
        self.passed_on, self.sensed, self.forgotten, self.made, self.begun = [], 0, 0, 0, 0

    def sense(self, _row, _T, _told, held=None):
        self.sensed += 1
        self.held = held

    def places(self):
        return np.array([[0.1, 0.0, 0.05], [np.nan] * 3])

    def passed(self, action):
        self.passed_on.append(action)

    def forget(self):
        self.forgotten += 1

    def begin(self):
        self.begun += 1

    def plan(self):
        self.made += 1
        return Actor.plans.pop(0) if len(Actor.plans) > 1 else Actor.plans[0]


class Robot:
    """Ten steps a second with a planner; ``behind``: how late (s) the clock is when a plan is made."""

    def __init__(self, monkeypatch, plans, timeout=30.0, prompt="reach for the green cup", tries=1):
        Actor.plans = list(plans)
        monkeypatch.setattr(imagined, "Actor", Actor)
        opened = SimpleNamespace(settings=SimpleNamespace(context=4, senses=("vision", "proprio")))
        monkeypatch.setattr(imagined, "Runtime", lambda *_: opened)
        self.time, self.behind = 0.0, 0.0
        self.safety, self.hand, self.ahead = Safety.ACTIVE, GraspStatus(), [1.0, 1.0, 1.0]
        self.whole = imagined.imagined(
            "some", prompt, load_parameters(tries=tries), timeout, lambda: self.time + self.behind
        )
        self.planner = self.whole.planner

    def step(self, cut=True, hole=False, blind=False):
        T = np.eye(4)
        head = np.eye(4)
        head[:3, 2] = np.array(self.ahead) / np.linalg.norm(self.ahead)
        estimate = BodyEstimate(0, self.time, T, np.zeros(6), T, T, head, self.safety, "")
        row = {"proprio": np.zeros(size("proprio"), np.float32)}
        if not blind:
            row["vision"] = np.zeros((2, 48, 64, 3), np.uint8)
        seen = Cut(row, np.zeros(size("action"), np.float32), hole) if cut else None
        out = self.whole.step(
            Observation(self.time, estimate, {"l": GraspStatus(), "r": self.hand}, None, seen)
        )
        self.time += 0.1
        return out


def gaze(step):
    """The number in the plan of the action that was carried out; 9: towards the goal."""
    return round(float(step.body[0].gaze[0] / 0.5)) - 1


def test_a_plan_is_carried_out_two_steps_and_then_made_anew(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()])
    assert [gaze(robot.step()) for _ in range(6)] == [0, 1, 0, 1, 0, 1]
    assert robot.planner._actor.made == 3
    assert robot.step(cut=False).body == []


def test_a_late_plan_is_dropped_and_the_one_before_goes_on_then_the_goal_then_nothing(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()])
    robot.step()
    robot.behind = 0.2
    steps = [robot.step() for _ in range(8)]
    assert [gaze(step) if step.body else None for step in steps] == [1, 2, 3, 9, 9, 9, 9, None]
    assert robot.planner.late == robot.planner._actor.made - 1
    robot.behind = 0.0
    assert gaze(robot.step()) == 0


def test_without_a_picture_nothing_goes_on_and_with_one_a_new_plan_does(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()])
    assert gaze(robot.step()) == 0
    assert [robot.step(blind=True).body for _ in range(3)] == [[], [], []]
    assert (robot.planner._actor.sensed, robot.planner._actor.made) == (4, 1)
    assert gaze(robot.step()) == 0
    assert robot.planner._actor.made == 2


def test_before_any_plan_nothing_is_asked_for(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()])
    robot.behind = 0.2
    assert robot.step().body == []
    assert robot.planner.holds == 1


def test_a_plan_that_would_make_something_fall_is_not_carried_out_and_the_end_says_why(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(), made_plan(vetoed="falls")])
    assert robot.step().body
    robot.step()
    steps = [robot.step() for _ in range(20)]
    assert not any(step.body or step.hands for step in steps)
    outcome = next(step.outcome for step in steps if step.outcome)
    assert (outcome.success, outcome.reason) == (False, "vetoed")
    assert outcome.message == "not done: the green cup would fall"


def test_a_veto_that_passes_lets_the_task_go_on(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(vetoed="falls"), made_plan(vetoed="falls"), made_plan()])
    assert [bool(robot.step().body) for _ in range(4)] == [False, False, True, True]
    assert robot.planner.step is not None


def test_it_is_done_when_plans_say_so_for_a_second_and_longer_when_something_is_held(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(progress=0.99)])
    steps = [robot.step() for _ in range(14)]
    assert [step.outcome is not None for step in steps].index(True) in (
        10,
        12,
    )  # a second, and two steps a plan
    robot = Robot(monkeypatch, [made_plan(progress=0.99)])
    robot.hand = GraspStatus(phase=GraspPhase.HOLDING, normal_force=6.0)
    steps = [robot.step() for _ in range(34)]
    assert [step.outcome is not None for step in steps].index(True) in (30, 32)  # hold_time
    outcome = steps[-1].outcome
    assert outcome.success
    assert outcome.peak_force == 6.0
    assert outcome.held == pytest.approx(3.1, abs=0.15)


def test_looking_is_not_done_before_the_head_looks_where_it_shall(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(progress=0.99, moves=0.0)])
    robot.ahead = [1.0, 1.0, 0.6]
    assert not any(robot.step().outcome for _ in range(14))
    robot.ahead = [1.0, 1.0, 0.9]
    assert ended(robot, 14).success


def test_a_doubt_begins_the_second_anew(monkeypatch):
    sure, doubtful = made_plan(progress=0.99), made_plan(progress=0.5)
    robot = Robot(monkeypatch, [sure, sure, doubtful, sure])
    assert not any(robot.step().outcome for _ in range(14))


def test_a_hand_that_lost_what_it_held_is_opened_once(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(closing=1.0)])
    assert [command.action for _, command in robot.step().hands] == [HandAction.CLOSE]
    robot.hand = GraspStatus(phase=GraspPhase.LOST)
    told = [(side, command.action) for _ in range(4) for side, command in robot.step().hands]
    assert told == [("r", HandAction.OPEN)]


def ended(robot, steps=45):
    return next(step.outcome for step in (robot.step() for _ in range(steps)) if step.outcome)


def test_it_is_over_when_nothing_more_comes(monkeypatch):
    outcome = ended(Robot(monkeypatch, [made_plan(progress=0.8)]))
    assert (outcome.success, outcome.reason) == (True, "done")
    outcome = ended(Robot(monkeypatch, [made_plan(progress=0.4)]))
    assert (outcome.success, outcome.reason) == (False, "stalled")
    assert outcome.message == "not done: nothing more to do after 40% of it"


def test_a_hand_that_holds_something_may_wait_for_as_long_as_it_takes(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(progress=0.8)], timeout=5.0)
    robot.hand = GraspStatus(phase=GraspPhase.HOLDING, normal_force=6.0)
    assert ended(robot, 60).reason == "timeout"


def test_a_hand_that_closed_on_nothing_has_not_done_it_whatever_plans_say(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(closing=1.0, progress=0.99)])
    outcome = ended(robot)
    assert (outcome.success, outcome.message) == (False, "not done: the hand closed on nothing")


def test_a_hand_that_closes_on_nothing_again_and_again_does_not_get_on(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(closing=1.0)])
    for _ in range(VAIN):
        for phase in (GraspPhase.CLOSING, GraspPhase.IDLE):
            robot.hand = GraspStatus(phase=phase)
            outcome = robot.step().outcome
    assert (outcome.reason, outcome.message) == ("stalled", "not done: the hand closed on nothing")


def test_a_hand_that_closed_on_something_has(monkeypatch):
    robot = Robot(monkeypatch, [made_plan(closing=1.0, progress=0.99)])
    robot.step()
    robot.hand = GraspStatus(phase=GraspPhase.HOLDING, normal_force=6.0)
    assert ended(robot).success


def test_what_plans_call_done_and_the_robot_knows_is_not_is_tried_again_and_then_given_up(monkeypatch):
    prompt = "put the red bottle behind the green cup"
    robot = Robot(monkeypatch, [made_plan(progress=0.99)], prompt=prompt, tries=3)
    outcome = ended(robot, 90)
    assert robot.planner._actor.begun == 2
    assert (outcome.success, outcome.reason) == (False, "stalled")
    assert outcome.message == "not done: no hand lifted the red bottle"


def test_a_robot_that_holds_what_it_was_to_pick_up_keeps_still_while_it_makes_sure(monkeypatch):
    robot = Robot(
        monkeypatch, [made_plan(progress=0.5), made_plan(progress=0.99)], prompt="take the red bottle"
    )
    robot.hand = GraspStatus(phase=GraspPhase.HOLDING, normal_force=6.0)
    assert [bool(robot.step().body) for _ in range(6)] == [True, True, False, False, False, False]
    assert robot.planner._actor.made == 3  # it goes on to ask
    Actor.plans = [made_plan(progress=0.5)]
    assert [bool(robot.step().body) for _ in range(4)][-2:] == [True, True]


def test_what_a_hand_holds_is_told_to_be_there(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()])
    robot.step()
    assert robot.planner._actor.held is None
    robot.hand = GraspStatus(phase=GraspPhase.HOLDING, normal_force=6.0)
    robot.step()
    np.testing.assert_allclose(robot.planner._actor.held, robot.planner._actor.places()[0])


def test_a_stopped_robot_and_lost_time_end_the_task(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()], timeout=0.25)
    robot.step()
    robot.step()
    robot.step()
    assert robot.step().outcome.reason == "timeout"
    robot = Robot(monkeypatch, [made_plan()])
    robot.safety = Safety.STOP
    assert robot.step().outcome.reason == "stopped"


def test_a_hole_in_the_senses_begins_a_new_past(monkeypatch):
    robot = Robot(monkeypatch, [made_plan()])
    robot.step()
    robot.step(hole=True)
    assert robot.planner._actor.forgotten == 1


def test_without_a_model_it_is_refused(monkeypatch):
    monkeypatch.setattr(shipped, "places", lambda: [])
    with pytest.raises(NeoError, match="no model is given and none ships"):
        imagined.imagined("", "go", load_parameters(), 1.0, lambda: 0.0)
    with pytest.raises(NeoError, match="no model for ONNX Runtime in /nowhere"):
        imagined.imagined("/nowhere", "go", load_parameters(), 1.0, lambda: 0.0)


def test_plant_time_goes_on_as_fast_as_it_did():
    wall = [0.0]
    clock = PlantClock(lambda: wall[0])
    assert clock.now() == 0.0
    for i in range(5):
        wall[0] = 0.2 * i
        clock.heard(10.0 + 0.1 * i)  # half as fast as the wall's
    wall[0] += 0.4
    assert clock.now() == pytest.approx(10.6)
    clock.heard(0.0)  # the plant began anew
    assert clock.now() == pytest.approx(0.0)


def test_a_hand_that_holds_what_was_to_be_picked_up_is_not_opened(monkeypatch):
    for prompt, opens in (("take the red bottle", False), ("put the red bottle behind the green cup", True)):
        robot = Robot(monkeypatch, [made_plan(closing=1.0)], prompt=prompt)
        robot.step()
        robot.hand = GraspStatus(phase=GraspPhase.HOLDING, normal_force=6.0)
        robot.step()
        Actor.plans = [made_plan(closing=0.0)]
        told = [command.action for _ in range(12) for _, command in robot.step().hands]
        assert (HandAction.OPEN in told) == opens
